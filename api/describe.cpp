#include "api/describe.h"

#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "plan/lifetimes.h"
#include "runtime/cuda/peak.h"

namespace burnish::api {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

Json port(const Port& port) {
  Json axes = Json::array();
  for (const Port::Axis& axis : port.axes) {
    Json one = {{"text", axis.text}, {"least", axis.least}};
    if (axis.most < DimTable::unbounded) one["most"] = axis.most;
    axes.push_back(std::move(one));
  }
  Json json = {{"name", port.name}, {"dtype", std::string(name_of(port.dtype))}, {"axes", std::move(axes)}};
  if (!port.order.empty()) json["order"] = port.order;
  return json;
}

Json ports(const std::vector<Port>& list, bool for_caller = true) {
  Json json = Json::array();
  for (const Port& p : list)
    if ((p.role == Port::Role::caller) == for_caller) json.push_back(port(p));
  return json;
}

Json steps(const std::vector<Step>& list);

/// Places in `storage` that a step reads and writes, each once.
void add_uses(const Step& s, Json& json) {
  std::set<uint32_t> read, written;
  for (const BufferUse& use : uses_of(s)) (use.writes ? written : read).insert(use.buffer);
  if (!read.empty()) json["reads"] = read;
  if (!written.empty()) json["writes"] = written;
}

Json step(const Step& s) {
  static constexpr const char* kinds[] = {"host",        "kernel", "copy", "read extents", "write extents",
                                          "set extents", "if",     "fail", "library",      "plugin"};
  Json json = {{"name", s.name}, {"kind", kinds[s.what.index()]}};
  if (s.stage != 0) json["stage"] = s.stage;
  add_uses(s, json);
  if (const auto* launch = std::get_if<KernelLaunch>(&s.what)) {
    json["module"] = launch->module;
    json["block"] = {launch->block[0], launch->block[1], launch->block[2]};
    json["shared_bytes"] = launch->shared_bytes;
    if (launch->starts_early) json["starts_early"] = true;
  }
  if (const auto* call = std::get_if<HostCall>(&s.what)) json["call"] = call->text;
  if (const auto* call = std::get_if<LibraryCall>(&s.what)) json["call"] = call->library + " " + call->text;
  if (const auto* call = std::get_if<PluginCall>(&s.what))
    json["call"] = (call->domain.empty() ? "" : call->domain + "::") + call->op + " " + call->attributes;
  if (const auto* branch = std::get_if<If>(&s.what)) {
    json["then"] = steps(branch->then_steps);
    json["else"] = steps(branch->else_steps);
  }
  return json;
}

Json steps(const std::vector<Step>& list) {
  Json json = Json::array();
  for (const Step& s : list) json.push_back(step(s));
  return json;
}

Json buffers(const Plan& plan) {
  static constexpr const char* kinds[] = {"constants", "inputs", "outputs", "temporaries"};
  int counts[2][4] = {};
  for (const Buffer& b : plan.buffers) ++counts[static_cast<int>(b.space)][static_cast<int>(b.kind)];
  Json json;
  for (int space = 0; space < 2; ++space)
    for (int kind = 0; kind < 4; ++kind)
      if (counts[space][kind] != 0) json[space == 0 ? "host" : "device"][kinds[kind]] = counts[space][kind];
  return json;
}

Json decisions(const Plan& plan) {
  Json list = Json::array();
  for (const Decision& d : plan.decisions) {
    Json candidates = Json::array();
    for (const Decision::Candidate& c : d.candidates) {
      Json one = {{"tactic", c.tactic}, {"estimate", static_cast<double>(c.estimate) / 1000}};
      if (c.nanoseconds != 0) one["us"] = static_cast<double>(c.nanoseconds) / 1000;
      if (!c.refused.empty()) one["refused"] = c.refused;
      candidates.push_back(std::move(one));
    }
    Json one = {{"node", d.node}, {"tactic", d.tactic}};
    if (!d.timed_on.empty()) one["timed_on"] = d.timed_on;
    one["candidates"] = std::move(candidates);
    list.push_back(std::move(one));
  }
  return list;
}

/// Every slot of the plan, where the extents of all inputs are fixed and none is found by running; else empty.
std::vector<int64_t> fixed_slots(const Plan& plan) {
  std::vector<int64_t> slots(plan.shapes.code.size());
  for (const Port& input : plan.inputs)
    for (const Port::Axis& axis : input.axes) {
      if (axis.binds && axis.least != axis.most) return {};
      if (axis.binds) slots[axis.slot] = axis.least;
    }
  if (plan.shapes.stage_ends.size() != 1) return {};
  plan.shapes.evaluate(0, slots);
  return slots;
}

/// Buffers, in the order by which steps refer to them. Sizes and offsets only where `slots` is not empty.
Json storage(const Plan& plan, std::span<const int64_t> slots) {
  static constexpr const char* kinds[] = {"constant", "input", "output", "temporary"};
  const std::vector<Life> lives = lives_of(plan);
  Json list = Json::array();
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& b = plan.buffers[i];
    Json one = {{"kind", kinds[static_cast<int>(b.kind)]},
                {"space", b.space == Space::host ? "host" : "device"}};
    if (b.kind == Buffer::Kind::input) one["name"] = plan.inputs[b.index].name;
    if (b.kind == Buffer::Kind::output) one["name"] = plan.outputs[b.index].name;
    if (lives[i].first >= 0) one["first_step"] = lives[i].first, one["last_step"] = lives[i].last;
    if (b.kind == Buffer::Kind::constant) one["bytes"] = plan.constants[b.index].bytes;
    else if (!slots.empty()) one["bytes"] = slots[b.bytes];
    if (b.kind == Buffer::Kind::temporary) one["stage"] = b.stage;
    if (b.kind == Buffer::Kind::temporary && !slots.empty()) one["offset"] = slots[b.offset];
    list.push_back(std::move(one));
  }
  return list;
}

/// Bytes of temporaries, where they are known.
void add_arena_bytes(const Plan& plan, std::span<const int64_t> slots, Json& json) {
  if (slots.empty()) return;
  for (const auto& [name, space] : {std::pair("host", Space::host), {"device", Space::device}})
    if (const ArenaBytes bytes = arena_bytes(plan, space, slots); bytes.planned > 0)
      json[name + std::string("_arena")] = {{"bytes", bytes.planned}, {"least_bytes", bytes.least}};
}

Json profiles(const Plan& plan) {
  Json list = Json::array();
  for (size_t p = 0; p < plan.profiles.size(); ++p)
    for (size_t i = 0; i < plan.inputs.size(); ++i) {
      Json one = {{"profile", p}, {"name", plan.inputs[i].name}};
      for (const auto& [key, number] :
           {std::pair("min", &ExtentRange::min), {"opt", &ExtentRange::opt}, {"max", &ExtentRange::max}}) {
        one[key] = Json::array();
        for (const ExtentRange& r : plan.profiles[p].inputs[i].axes) one[key].push_back(r.*number);
      }
      list.push_back(std::move(one));
    }
  return list;
}

Json plan_of(const Plan& plan) {
  uint64_t constant_bytes = 0, code_bytes = 0;
  for (const ConstantData& c : plan.constants) constant_bytes += c.bytes;
  for (const KernelModule& m : plan.modules) code_bytes += m.bytes;
  Json json = {{"target", plan.target},
               {"precision", plan.precision},
               {"inputs", ports(plan.inputs)},
               {"outputs", ports(plan.outputs)},
               {"constant_bytes", constant_bytes},
               {"modules", plan.modules.size()},
               {"code_bytes", code_bytes},
               {"shape_instructions", plan.shapes.code.size()},
               {"stages", plan.shapes.stage_ends.size()},
               {"checks", plan.checks.size()},
               {"buffers", buffers(plan)},
               {"host_reasons", plan.host_reasons},
               {"moves", plan.moves},
               {"fusion_reasons", plan.fusion_reasons},
               {"decisions", decisions(plan)},
               {"steps", steps(plan.steps)}};
  if (Json debug = ports(plan.outputs, false); !debug.empty()) json["debug_tensors"] = std::move(debug);
  if (plan.max_branches > 0) json["max_branches"] = plan.max_branches;
  if (!plan.profiles.empty()) json["profiles"] = profiles(plan);
  for (const NeededPlugin& p : plan.plugins)
    json["plugins"].push_back({{"name", p.name}, {"version", p.version}, {"file", p.file}});
  const std::vector<int64_t> slots = fixed_slots(plan);
  add_arena_bytes(plan, slots, json);
  json["storage"] = storage(plan, slots);
  return json;
}

/// Nothing on the host, or where it is not known.
std::optional<cuda::Peak> peak_of(const Context& context) {
  if (!context.device()) return {};
  const cuda::Peak peak = cuda::peak_of(context.device()->info(), context.plan().precision);
  return peak.flops > 0 && peak.bytes_per_second > 0 ? std::optional(peak) : std::nullopt;
}

}  // namespace

std::string describe(const Engine& engine) {
  const EngineFile& file = engine.file();
  Json json = {{"burnish", file.identity.burnish_version},
               {"model", file.identity.model},
               {"options", file.identity.options},
               {"providers", file.identity.providers},
               {"file_bytes", file.size},
               {"constant_bytes", file.constants.size()},
               {"code_bytes", file.code.size()},
               {"graph", file.debug}};
  if (file.refit) {
    const auto fixed = std::ranges::count_if(file.refit->weights, &RefitRecord::Weight::fixed);
    json["refit"] = {
        {"weights", file.refit->weights.size()}, {"fixed", fixed}, {"stripped", file.is_stripped()}};
  }
  json["plans"] = Json::array();
  for (const Plan& plan : file.plans) json["plans"].push_back(plan_of(plan));
  return text_of(json);
}

std::string describe(const Context& context) {
  const MemoryUse memory = context.memory();
  Json json = {{"target", context.plan().target},
               {"precision", context.plan().precision},
               {"memory",
                {{"constants", memory.constants},
                 {"code", memory.code},
                 {"device_arena", memory.device_arena},
                 {"host_arena", memory.host_arena},
                 {"bindings", memory.bindings}}}};
  json["storage"] = storage(context.plan(), context.slots());
  if (const auto peak = peak_of(context))
    json["peak"] = {{"flops", peak->flops}, {"bytes_per_second", peak->bytes_per_second}};
  return text_of(json);
}

std::string describe(const Context& context, const std::vector<StepTime>& times) {
  const std::optional<cuda::Peak> peak = peak_of(context);
  Json json = Json::array();
  for (const StepTime& t : times) {
    Json one = {{"name", t.name}, {"kind", t.kind}, {"ms", t.milliseconds}};
    if (t.flops && t.bytes_read && t.bytes_written) {
      one["flops"] = *t.flops;
      one["bytes_read"] = *t.bytes_read;
      one["bytes_written"] = *t.bytes_written;
      if (peak)
        one["least_ms"] =
            1e3 * std::max(static_cast<double>(*t.flops) / peak->flops,
                           static_cast<double>(*t.bytes_read + *t.bytes_written) / peak->bytes_per_second);
    }
    json.push_back(std::move(one));
  }
  return text_of(json);
}

}  // namespace burnish::api
