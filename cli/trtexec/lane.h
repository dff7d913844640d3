#pragma once

#include <memory>

#include "cli/trtexec/session.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

/// The moment that all times of a run count from, on the CPU and on the GPU.
class Epoch;

/// One context that queries go through, one after the other: on a GPU the input copy of a query overlaps the compute of the one
/// before.
class Lane {
 public:
  virtual ~Lane() = default;
  /// What the times of its queries count from; before the first of them.
  void count_from(std::shared_ptr<const Epoch> epoch) { epoch_ = std::move(epoch); }
  /// Gives a query to the device.
  virtual void enqueue() = 0;
  /// Whether another query can be given before one is waited for.
  virtual bool full() const = 0;
  virtual bool empty() const = 0;
  /// Waits for the oldest query.
  virtual Query finish() = 0;

 protected:
  std::shared_ptr<const Epoch> epoch_;
};

/// Makes the epoch: now. Throws Failure.
std::shared_ptr<const Epoch> begin_epoch(const Session& session);
/// Milliseconds since then.
double since(const Epoch& epoch);

/// On the session's own context where `context` is null. Throws Failure, as its members do.
std::unique_ptr<Lane> make_lane(const Session& session, Context context, const InferenceOptions& options);

}  // namespace burnish::cli::trtexec
