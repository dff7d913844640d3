#include "onnx/node_import.h"

#include <algorithm>

namespace burnish::onnx {

Error NodeImport::error(Code code, std::string what) const {
  return Error(code, "node '" + provenance_.front() + "' (" + node_.op_type + "): " + std::move(what));
}

Result<> NodeImport::read_inputs() {
  for (const std::string& name : node_.inputs)
    inputs_.push_back(name.empty() ? no_value : TRY(importer_.find(name, "node " + node_.describe())));
  return {};
}

Result<> NodeImport::run(const OpDef& op) {
  if (op.import) {
    TRY(op.import(*this));
  } else if (!op.infer) {
    return error(Code::unsupported, "this operator is not supported");
  } else {
    const std::vector<ValueId> made =
        TRY(emit(op.name, op.attrs ? TRY(attributes(op.attrs, {})) : Attrs(), inputs_, node_.outputs.size()));
    for (size_t i = 0; i < made.size(); ++i) bind(i, made[i]);
  }
  for (size_t i = 0; i < node_.outputs.size(); ++i) {
    if (node_.outputs[i].empty()) continue;
    if (!bound_.contains(i))
      return error(Code::unsupported, "its output " + std::to_string(i) + " is not supported");
    TRY(importer_.bind(node_, i, bound_.at(i)));
  }
  return {};
}

Result<const Attribute*> NodeImport::typed(std::string_view name, AttributeType type) const {
  const Attribute* attribute = node_.attribute(name);
  if (attribute && attribute->type != type)
    return error(Code::invalid_model, "attribute '" + std::string(name) + "' must be of type " +
                                          std::string(attribute_type_name(type)) + ", it is " +
                                          std::string(attribute_type_name(attribute->type)));
  return attribute;
}

Result<int64_t> NodeImport::integer(std::string_view name, std::optional<int64_t> otherwise) const {
  if (const Attribute* a = TRY(typed(name, AttributeType::integer))) return a->i;
  if (otherwise) return *otherwise;
  return error(Code::invalid_model, "attribute '" + std::string(name) + "' is missing");
}
Result<float> NodeImport::real(std::string_view name, std::optional<float> otherwise) const {
  if (const Attribute* a = TRY(typed(name, AttributeType::real))) return a->f;
  if (otherwise) return *otherwise;
  return error(Code::invalid_model, "attribute '" + std::string(name) + "' is missing");
}
Result<std::string> NodeImport::string(std::string_view name, std::optional<std::string> otherwise) const {
  if (const Attribute* a = TRY(typed(name, AttributeType::text))) return a->s;
  if (otherwise) return *otherwise;
  return error(Code::invalid_model, "attribute '" + std::string(name) + "' is missing");
}
Result<std::vector<int64_t>> NodeImport::integers(std::string_view name) const {
  const Attribute* a = TRY(typed(name, AttributeType::integers));
  return a ? a->ints : std::vector<int64_t>();
}
Result<std::vector<float>> NodeImport::reals(std::string_view name) const {
  const Attribute* a = TRY(typed(name, AttributeType::reals));
  return a ? a->floats : std::vector<float>();
}
Result<std::vector<std::string>> NodeImport::strings(std::string_view name) const {
  const Attribute* a = TRY(typed(name, AttributeType::texts));
  return a ? a->strings : std::vector<std::string>();
}
Result<Tensor> NodeImport::tensor(std::string_view name) const {
  const Attribute* a = TRY(typed(name, AttributeType::tensor));
  if (!a || !a->t) return error(Code::invalid_model, "attribute '" + std::string(name) + "' is missing");
  if (!a->t->dtype)
    return error(Code::unsupported, "attribute '" + std::string(name) + "' has elements of type " +
                                        std::string(data_type_name(a->t->data_type)) +
                                        ", which Burnish does not compute with");
  return a->t->payload;
}

Result<> NodeImport::set_field(Attrs& attrs, const Field& field, const Attribute& attribute) const {
  void* at = attrs.field_for_writing(field);
  switch (field.kind) {
    case Field::Kind::integer: *static_cast<int64_t*>(at) = TRY(integer(field.name, {})); break;
    case Field::Kind::boolean: *static_cast<bool*>(at) = TRY(integer(field.name, {})) != 0; break;
    case Field::Kind::real: *static_cast<float*>(at) = TRY(real(field.name, {})); break;
    case Field::Kind::string: *static_cast<std::string*>(at) = TRY(string(field.name, {})); break;
    case Field::Kind::integers: *static_cast<std::vector<int64_t>*>(at) = TRY(integers(field.name)); break;
    case Field::Kind::reals: *static_cast<std::vector<float>*>(at) = TRY(reals(field.name)); break;
    case Field::Kind::strings: *static_cast<std::vector<std::string>*>(at) = TRY(strings(field.name)); break;
    case Field::Kind::dtype: {
      const auto code = static_cast<int32_t>(TRY(integer(field.name, {})));
      const auto dtype = dtype_of(code);
      if (!dtype)
        return error(Code::unsupported, "attribute '" + attribute.name + "' names the type " +
                                            std::string(data_type_name(code)) +
                                            ", which Burnish does not compute with");
      *static_cast<DType*>(at) = *dtype;
      break;
    }
    case Field::Kind::dims:
      return error(Code::invalid_model, "attribute '" + attribute.name + "' is none of ONNX");
  }
  return {};
}

Result<Attrs> NodeImport::attributes(const AttrSchema* schema,
                                     std::span<const std::string_view> ignored) const {
  Attrs attrs(schema);
  for (const Attribute& attribute : node_.attributes) {
    if (std::find(ignored.begin(), ignored.end(), attribute.name) != ignored.end()) continue;
    const Field* found = nullptr;
    if (schema)
      for (const Field& field : schema->fields())
        if (field.name == attribute.name) found = &field;
    if (!found)
      return error(Code::unsupported,
                   "attribute '" + attribute.name + "' is not supported in opset " + std::to_string(opset()));
    TRY(set_field(attrs, *found, attribute));
  }
  return attrs;
}

Result<std::vector<ValueId>> NodeImport::emit(std::string_view op, Attrs attrs, std::vector<ValueId> inputs,
                                              size_t outputs) {
  return importer_.emit(op, std::move(attrs), std::move(inputs), outputs, provenance_);
}

void NodeImport::bind(size_t output, ValueId value) { bound_[output] = value; }

}  // namespace burnish::onnx
