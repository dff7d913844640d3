#pragma once

#include "plan/plan.h"

namespace burnish {

/// Replaces every slot s of the plan (not of its shape program) by slot_of[s].
void remap_slots(Plan& plan, const std::vector<Slot>& slot_of);
/// Replaces every reference to a buffer b by one to buffer[b].
void replace_buffers(Plan& plan, const std::vector<uint32_t>& buffer);
/// Removes temporaries and constants that no step uses.
void drop_unused_buffers(Plan& plan, const std::vector<bool>& used);
/// Removes constants that no buffer holds (a kernel took a repacked copy); gives the old numbers of those that stay.
std::vector<uint32_t> drop_unused_constants(Plan& plan);

}  // namespace burnish
