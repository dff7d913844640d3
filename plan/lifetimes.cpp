#include "plan/lifetimes.h"

#include <algorithm>
#include <map>

namespace burnish {

std::vector<Life> lives_of(const Plan& plan) {
  std::vector<Life> lives(plan.buffers.size());
  int64_t position = 0;
  for_each_step(plan.steps, [&](const Step& step) {
    for (const BufferUse& use : uses_of(step)) {
      Life& life = lives[use.buffer];
      if (life.first < 0) life.first = position;
      life.last = position;
    }
    ++position;
  });
  return lives;
}

ArenaBytes arena_bytes(const Plan& plan, Space space, std::span<const int64_t> slots) {
  ArenaBytes bytes;
  for (Slot s : space == Space::host ? plan.host_arena : plan.device_arena) bytes.planned += slots[s];
  std::map<int64_t, int64_t> change;  // of what is in use, by step
  const std::vector<Life> lives = lives_of(plan);
  for (size_t i = 0; i < lives.size(); ++i) {
    const Buffer& b = plan.buffers[i];
    if (b.kind != Buffer::Kind::temporary || b.space != space || lives[i].first < 0) continue;
    change[lives[i].first] += slots[b.bytes];
    change[lives[i].last + 1] -= slots[b.bytes];
  }
  int64_t used = 0;
  for (const auto& [step, by] : change) bytes.least = std::max(bytes.least, used += by);
  return bytes;
}

}  // namespace burnish
