// Function to canonical JSON, by reflection: the mirror of decode.cc.
#include <nlohmann/json.hpp>

#include "deploy/manifest/letters.h"
#include "deploy/manifest/manifest.h"
#include "deploy/manifest/rules.h"

namespace subito::manifest {

namespace {

using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::ordered_json;

Json encode_message(const Message& message);

Json encode_number(const Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  const std::int64_t value = field.cpp_type() == Field::CPPTYPE_INT32
                                 ? reflection.GetInt32(message, &field)
                                 : reflection.GetInt64(message, &field);
  const Form form = form_of(field);
  if (form == Form::kInteger) return value;
  return format_number(form, value);
}

Json encode_value(const Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (form_of(field)) {
    case Form::kText:
      return reflection.GetString(message, &field);
    case Form::kBool:
      return reflection.GetBool(message, &field);
    case Form::kChoice:
      return choice_name(reflection.GetEnum(message, &field)->name());
    case Form::kMessage:
      return encode_message(reflection.GetMessage(message, &field));
    default:
      return encode_number(message, field);
  }
}

// Sorted by key, so that equal manifests give equal texts.
Json encode_map(const Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  std::map<std::string, std::string> sorted;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const auto& type = *field.message_type();
    sorted[entry.GetReflection()->GetString(entry, type.map_key())] =
        entry.GetReflection()->GetString(entry, type.map_value());
  }
  Json out = Json::object();
  for (const auto& [key, value] : sorted) out[key] = value;
  return out;
}

Json encode_list(const Message& message, const Field& field) {
  const Reflection& reflection = *message.GetReflection();
  Json out = Json::array();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (form_of(field) == Form::kMessage)
      out.push_back(encode_message(reflection.GetRepeatedMessage(message, &field, i)));
    else
      out.push_back(reflection.GetRepeatedString(message, &field, i));
  }
  return out;
}

Json encode_message(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const Field*> fields;
  reflection.ListFields(message, &fields);  // those that are set, in order
  Json out = Json::object();
  for (const Field* field : fields) {
    Json& value = out[user_name(*field)];
    if (field->is_map())
      value = encode_map(message, *field);
    else if (field->is_repeated())
      value = encode_list(message, *field);
    else
      value = encode_value(message, *field);
  }
  return out;
}

}  // namespace

std::string to_json(const Function& function, int indent) {
  // Texts were read as UTF-8; what is not becomes U+FFFD rather than an exception.
  return encode_message(function).dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace subito::manifest
