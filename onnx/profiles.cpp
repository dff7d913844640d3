#include "onnx/profiles.h"

#include <algorithm>

namespace burnish::onnx {

namespace {

std::string text_of(const ExtentRange& r) {
  return std::to_string(r.min) + " to " + std::to_string(r.max) + ", opt " + std::to_string(r.opt);
}

Range hull(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

/// One profile, held against the model.
class Profile {
 public:
  Profile(const Model& model, const ImportOptions& options, size_t index)
      : model_(model), options_(options), profile_(options.profiles[index]), index_(index) {}

  Result<> check() {
    for (const auto& [name, shape] : options_.shapes)
      if (const ValueInfo* input = find(name); input && input->shape)
        for (size_t axis = 0; axis < std::min(shape.size(), input->shape->size()); ++axis)
          if (const std::string& param = (*input->shape)[axis].param; !param.empty() && shape[axis] != -1)
            named_.emplace(param, Named{{shape[axis], shape[axis]}, shape[axis], name});
    for (const auto& [name, ranges] : options_.profiles.front())
      if (!profile_.contains(name))
        return Error(Code::invalid_argument, "profile " + std::to_string(index_) +
                                                 " says nothing of input '" + name + "', and profile 0 does")
            .remedy("give the same inputs in every profile");
    for (const auto& [name, ranges] : profile_) TRY(check_input(name, ranges));
    return {};
  }

  void add_to(ProfileExtents& all) const {
    for (const auto& [name, ranges] : profile_) {
      const ValueInfo& input = *find(name);
      std::vector<Range> mine;
      for (size_t axis = 0; axis < ranges.size(); ++axis) {
        const auto named = named_.find(input.shape ? (*input.shape)[axis].param : "");
        mine.push_back(named != named_.end() ? named->second.range
                                             : Range{ranges[axis].min, ranges[axis].max});
      }
      const auto [at, first] = all.ranges.try_emplace(name, mine);
      for (size_t axis = 0; !first && axis < mine.size(); ++axis)
        at->second[axis] = hull(at->second[axis], mine[axis]);
    }
    for (const auto& [name, known] : named_) {
      const auto [at, first] = all.named.try_emplace(name, known.range);
      if (!first) at->second = hull(at->second, known.range);
    }
  }

 private:
  struct Named {
    Range range;
    int64_t opt;
    std::string input;  // the first that has it
  };

  const ValueInfo* find(const std::string& name) const {
    const auto at = std::ranges::find(model_.graph.inputs, name, &ValueInfo::name);
    return at == model_.graph.inputs.end() ? nullptr : &*at;
  }

  Error wrong(const std::string& name, const std::string& what) const {
    return Error(Code::invalid_argument,
                 "profile " + std::to_string(index_) + ": input '" + name + "' " + what);
  }

  Result<> check_input(const std::string& name, const std::vector<ExtentRange>& ranges) {
    const ValueInfo* input = find(name);
    if (!input) {
      std::string known;
      for (const ValueInfo& v : model_.graph.inputs) known += (known.empty() ? "'" : ", '") + v.name + "'";
      return wrong(name, "is not in the model").remedy("its inputs are " + known);
    }
    if (options_.shapes.contains(name))
      return wrong(name, "has a fixed shape as well").remedy("give it either a shape or a range");
    const size_t rank = input->shape ? input->shape->size() : options_.profiles.front().at(name).size();
    if (rank != ranges.size())
      return wrong(name, "has rank " + std::to_string(rank) + ", and its range " +
                             std::to_string(ranges.size()) + " axes")
          .remedy("give one extent for each axis");
    for (size_t axis = 0; axis < rank; ++axis)
      TRY(check_axis(name, axis, input->shape ? (*input->shape)[axis] : Dimension(), ranges[axis]));
    return {};
  }

  Result<> check_axis(const std::string& name, size_t axis, const Dimension& d, const ExtentRange& r) {
    const std::string where = "axis " + std::to_string(axis);
    if (r.min < 1 || r.max >= DimTable::unbounded)
      return wrong(name, where + " has the range " + text_of(r)).remedy("extents are from 1 to 2^40 - 1");
    if (r.min > r.opt || r.opt > r.max)
      return wrong(name, where + " has min " + std::to_string(r.min) + ", opt " + std::to_string(r.opt) +
                             " and max " + std::to_string(r.max))
          .remedy("give them in this order: min <= opt <= max");
    if (d.value && (r.min != *d.value || r.max != *d.value))
      return wrong(name, where + " is " + std::to_string(*d.value) + " in the model, not " + text_of(r))
          .remedy("only free axes have a range; export the model again with that axis dynamic");
    if (d.value || d.param.empty()) return {};
    const auto [at, first] = named_.try_emplace(d.param, Named{{r.min, r.max}, r.opt, name});
    Named& known = at->second;
    if (known.opt != r.opt)
      return wrong(name, where + " is '" + d.param + "', whose opt is " + std::to_string(known.opt) +
                             " in input '" + known.input + "', not " + std::to_string(r.opt))
          .remedy("axes of one name have one extent");
    known.range = {std::max(known.range.lo, r.min), std::min(known.range.hi, r.max)};
    return {};
  }

  const Model& model_;
  const ImportOptions& options_;
  const InputRanges& profile_;
  size_t index_;
  std::map<std::string, Named> named_;
};

}  // namespace

Result<ProfileExtents> read_profiles(const Model& model, const ImportOptions& options) {
  ProfileExtents all;
  for (size_t i = 0; i < options.profiles.size(); ++i) {
    Profile profile(model, options, i);
    TRY(profile.check());
    profile.add_to(all);
  }
  for (const auto& [name, ranges] : all.ranges)
    for (const Range& r : ranges) all.fixed[name].push_back(r.lo == r.hi ? r.lo : -1);
  return all;
}

}  // namespace burnish::onnx
