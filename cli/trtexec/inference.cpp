#include "cli/trtexec/inference.h"

#include <algorithm>
#include <exception>
#include <thread>

#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/trtexec/lane.h"

namespace burnish::cli::trtexec {

bool goes_on(const InferenceOptions& options, size_t queries, size_t warm_up, double elapsed) {
  if (interrupted()) return false;
  if (options.duration == -1) return true;
  return queries < static_cast<size_t>(options.iterations) + warm_up ||
         elapsed < options.duration * 1000 + options.warm_up;
}

namespace {

using Lanes = std::vector<std::unique_ptr<Lane>>;

void keep(const Query& query, const InferenceOptions& options, Trace& trace) {
  if (query.compute_start < options.warm_up) {
    ++trace.warm_up_queries;
    trace.warm_up_ms = std::max(trace.warm_up_ms, query.d2h_end);
  } else {
    trace.queries.push_back(query);
  }
}

/// Gives each lane a query in turn, and waits where a lane is full. A round is a query of every lane.
Trace run_in_turns(std::span<const std::unique_ptr<Lane>> lanes, const InferenceOptions& options,
                   const Epoch& epoch) {
  Trace trace;
  for (size_t round = 0; goes_on(options, round, trace.warm_up_queries / lanes.size(), since(epoch));
       ++round) {
    for (const auto& lane : lanes) lane->enqueue();
    for (const auto& lane : lanes)
      if (lane->full()) keep(lane->finish(), options, trace);
    if (options.idle > 0)
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.idle));
  }
  for (const auto& lane : lanes)
    while (!lane->empty()) keep(lane->finish(), options, trace);
  return trace;
}

Trace run_in_threads(const Lanes& lanes, const InferenceOptions& options, const Epoch& epoch) {
  std::vector<Trace> traces(lanes.size());
  std::vector<std::exception_ptr> failures(lanes.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < lanes.size(); ++i)
      threads.emplace_back([&, i] {
        try {
          traces[i] = run_in_turns(std::span(lanes).subspan(i, 1), options, epoch);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
  }
  Trace all;
  for (size_t i = 0; i < lanes.size(); ++i) {
    if (failures[i]) std::rethrow_exception(failures[i]);
    all.queries.insert(all.queries.end(), traces[i].queries.begin(), traces[i].queries.end());
    all.warm_up_queries += traces[i].warm_up_queries;
    all.warm_up_ms = std::max(all.warm_up_ms, traces[i].warm_up_ms);
  }
  std::ranges::sort(all.queries, {}, &Query::enqueue_start);
  return all;
}

}  // namespace

Trace run_inference(const Session& session, const InferenceOptions& options) {
  const Cancellable cancellable;
  Lanes lanes;
  lanes.push_back(make_lane(session, Context(nullptr, burnish_context_free), options));
  while (lanes.size() < static_cast<size_t>(options.streams))
    lanes.push_back(make_lane(session, session.make_context(), options));
  const auto epoch = begin_epoch(session);
  for (const auto& lane : lanes) lane->count_from(epoch);
  return options.threads ? run_in_threads(lanes, options, *epoch) : run_in_turns(lanes, options, *epoch);
}

}  // namespace burnish::cli::trtexec
