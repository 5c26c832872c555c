#include "deploy/manifest/decode.h"

#include <charconv>
#include <utility>

#include "deploy/manifest/function.pb.h"
#include "deploy/manifest/letters.h"
#include "deploy/manifest/rules.h"
#include "deploy/manifest/suggest.h"
#include "deploy/manifest/units.h"
#include "runtime/base/check.h"

namespace subito::manifest {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::Message;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string child_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

// Where in a manifest a field has that name, at most two such places; lists as
// "spec.routes[].path".
void find_paths(const Descriptor& type, const std::string& path, const std::string& name,
                std::vector<std::string>& found) {
  for (int i = 0; i < type.field_count() && found.size() < 2; ++i) {
    const Field& field = *type.field(i);
    const std::string own = child_path(path, user_name(field));
    if (user_name(field) == name) found.push_back(own);
    if (field.is_map() || form_of(field) != Form::kMessage) continue;
    find_paths(*field.message_type(), own + (field.is_repeated() ? "[]" : ""), name, found);
  }
}

// For a field that is known, but not there: "; did you mean 'spec.resources.memory'?".
std::string elsewhere(const std::string& name) {
  std::vector<std::string> found;
  find_paths(*Function::descriptor(), "", name, found);
  if (found.empty()) return "";
  return "; did you mean '" + found.front() +
         (found.size() > 1 ? "' or '" + found.back() : std::string()) + "'?";
}

class Decoder {
 public:
  Decoder(const std::string& file, Lines& lines, std::vector<Fault>& faults)
      : file_(file), lines_(lines), faults_(faults) {}

  void message(const Node& node, Message& out, const std::string& path);

 private:
  struct Place {  // of the value being read
    std::string path;
    int line;
  };

  void fault(const Place& at, std::string text) {
    faults_.push_back(Fault{file_, at.line, at.path, std::move(text)});
  }
  void wrong_kind(const Place& at, const Node& node, std::string_view wanted) {
    fault(at, "is " + std::string(to_string(node.kind)) + ", must be " + std::string(wanted));
  }

  void pair(const Node& node, std::size_t i, Message& out, const std::string& path,
            Lines& first_lines);
  void missing(const Node& node, const Message& out, const std::string& path,
               const Lines& first_lines);
  void field(const Node& node, const Field& field, Message& out, const Place& at);
  void list(const Node& node, const Field& field, Message& out, const Place& at);
  void text_map(const Node& node, const Field& field, Message& out, const Place& at);
  void value(const Node& node, const Field& field, Message& out, const Place& at);
  void scalar(const Node& node, const Field& field, Message& out, const Place& at);
  void text(const Node& node, const Field& field, Message& out, const Place& at);
  void boolean(const Node& node, const Field& field, Message& out, const Place& at);
  void number(const Node& node, const Field& field, Message& out, const Place& at);
  void choice(const Node& node, const Field& field, Message& out, const Place& at);
  bool text_is_right(const std::string& text, TextCheck check, const Place& at);

  const std::string& file_;
  Lines& lines_;
  std::vector<Fault>& faults_;
};

void Decoder::message(const Node& node, Message& out, const std::string& path) {
  const Descriptor& type = *out.GetDescriptor();
  if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull)
    return wrong_kind({path, node.line}, node, "a mapping with " + joined(user_names(type)));
  Lines first_lines;
  for (std::size_t i = 0; i < node.keys.size(); ++i) pair(node, i, out, path, first_lines);
  missing(node, out, path, first_lines);
}

// One "key: value" of a message.
void Decoder::pair(const Node& node, std::size_t i, Message& out, const std::string& path,
                   Lines& first_lines) {
  const std::string& key = node.keys[i];
  const Place at{child_path(path, key), node.key_lines[i]};
  const Field* known = find_field(*out.GetDescriptor(), key);
  if (known == nullptr) {
    const auto names = user_names(*out.GetDescriptor());
    std::string hint = elsewhere(key);
    if (hint.empty()) hint = did_you_mean(key, names);
    return fault(at, "is not a field" + (hint.empty() ? ", allowed are " + joined(names) : hint));
  }
  const auto [first, is_new] = first_lines.try_emplace(key, at.line);
  if (!is_new) {
    return fault(at, first->second > 0
                         ? "is there twice, first in line " + std::to_string(first->second)
                         : "is there twice");
  }
  lines_.emplace(at.path, at.line);
  if (const auto* group = known->real_containing_oneof()) {
    if (const Field* other = out.GetReflection()->GetOneofFieldDescriptor(out, group))
      return fault(at, "is there beside " + user_name(*other) + ", only one of them is allowed");
  }
  field(i < node.children.size() ? node.children[i] : Node{}, *known, out, at);
}

// Required fields, and choices of which none was made.
void Decoder::missing(const Node& node, const Message& out, const std::string& path,
                      const Lines& first_lines) {
  const Descriptor& type = *out.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string name = user_name(*type.field(i));
    if (rule_of(*type.field(i)).required && !first_lines.contains(name))
      fault({child_path(path, name), node.line}, "is missing");
  }
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const auto& group = *type.oneof_decl(i);
    std::vector<std::string> names;
    bool made = false;
    for (int k = 0; k < group.field_count(); ++k) {
      names.push_back(user_name(*group.field(k)));
      made = made || first_lines.contains(names.back());
    }
    if (!made) fault({path, node.line}, "needs exactly one of " + joined(names));
  }
}

void Decoder::field(const Node& node, const Field& field, Message& out, const Place& at) {
  if (field.is_map()) return text_map(node, field, out, at);
  if (field.is_repeated()) return list(node, field, out, at);
  value(node, field, out, at);
}

void Decoder::list(const Node& node, const Field& field, Message& out, const Place& at) {
  if (node.kind == Node::Kind::kNull) return;
  if (node.kind != Node::Kind::kList) return wrong_kind(at, node, "a list");
  const std::size_t count_max = rule_of(field).count_max;
  if (node.children.size() > count_max) {
    return fault(at, "has " + std::to_string(node.children.size()) + " entries, allowed are " +
                         std::to_string(count_max));
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const Node& child = node.children[i];
    const Place place{at.path + "[" + std::to_string(i) + "]", child.line};
    lines_.emplace(place.path, place.line);
    value(child, field, out, place);
  }
}

void Decoder::text_map(const Node& node, const Field& field, Message& out, const Place& at) {
  if (node.kind == Node::Kind::kNull) return;
  if (node.kind != Node::Kind::kMap) return wrong_kind(at, node, "a mapping");
  const Descriptor& entry_type = *field.message_type();
  CHECK(entry_type.map_value()->cpp_type() == Field::CPPTYPE_STRING);
  const Rule& rule = rule_of(field);
  if (node.keys.size() > rule.count_max) {
    return fault(at, "has " + std::to_string(node.keys.size()) + " entries, allowed are " +
                         std::to_string(rule.count_max));
  }
  Lines first_lines;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::string& key = node.keys[i];
    const Node& child = node.children[i];
    const Place place{child_path(at.path, key), node.key_lines[i]};
    if (!text_is_right(key, rule.key, place)) continue;
    if (!first_lines.try_emplace(key, place.line).second) {
      fault(place, "is there twice");
      continue;
    }
    if (child.kind != Node::Kind::kScalar) {
      wrong_kind(place, child, "text");
      continue;
    }
    if (!text_is_right(child.text, rule.text, place)) continue;
    Message& entry = *out.GetReflection()->AddMessage(&out, &field);
    entry.GetReflection()->SetString(&entry, entry_type.map_key(), key);
    entry.GetReflection()->SetString(&entry, entry_type.map_value(), child.text);
  }
}

// A single value, or an element of a list.
void Decoder::value(const Node& node, const Field& field, Message& out, const Place& at) {
  if (form_of(field) != Form::kMessage) return scalar(node, field, out, at);
  const auto& reflection = *out.GetReflection();
  Message& child = field.is_repeated() ? *reflection.AddMessage(&out, &field)
                                       : *reflection.MutableMessage(&out, &field);
  Node placed = node;  // so that what is missing is told where the mapping was announced
  if (placed.kind == Node::Kind::kNull || !field.is_repeated()) placed.line = at.line;
  message(placed, child, at.path);
}

void Decoder::scalar(const Node& node, const Field& field, Message& out, const Place& at) {
  if (node.kind == Node::Kind::kNull) return fault(at, "has no value");
  const Form form = form_of(field);
  if (node.kind != Node::Kind::kScalar) {
    const bool is_text = form == Form::kText || form == Form::kChoice;
    return wrong_kind(at, node,
                      is_text               ? "text"
                      : form == Form::kBool ? "true or false"
                                            : "a number");
  }
  switch (form) {
    case Form::kText:
      return text(node, field, out, at);
    case Form::kBool:
      return boolean(node, field, out, at);
    case Form::kChoice:
      return choice(node, field, out, at);
    default:
      return number(node, field, out, at);
  }
}

bool Decoder::text_is_right(const std::string& text, TextCheck check, const Place& at) {
  if (text.size() > kTextBytesMax) {
    fault(at, "is longer than " + std::to_string(kTextBytesMax) + " bytes");
    return false;
  }
  if (text.find('\0') != text.npos) {  // it would end an argument or a setting early
    fault(at, "has a NUL character");
    return false;
  }
  const auto wrong = check != nullptr ? check(text) : std::nullopt;
  if (wrong) fault(at, *wrong);
  return !wrong;
}

void Decoder::text(const Node& node, const Field& field, Message& out, const Place& at) {
  if (!text_is_right(node.text, rule_of(field).text, at)) return;
  if (field.is_repeated())
    out.GetReflection()->AddString(&out, &field, node.text);
  else
    out.GetReflection()->SetString(&out, &field, node.text);
}

void Decoder::boolean(const Node& node, const Field& field, Message& out, const Place& at) {
  if (!node.plain || (node.text != "true" && node.text != "false"))
    return fault(at, "is '" + node.text.substr(0, kNameBytesMax) + "', allowed is true or false");
  out.GetReflection()->SetBool(&out, &field, node.text == "true");
}

Result<std::int64_t> parse_integer(const Node& node) {
  std::int64_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  if (!node.plain || error != std::errc() || stop != end)
    return fail(ErrorCode::kInvalidArgument,
                "is '" + node.text.substr(0, kNameBytesMax) + "', must be a whole number");
  return value;
}

Result<std::int64_t> parse_number(Form form, const Node& node) {
  switch (form) {
    case Form::kDuration:
      return parse_duration_ms(node.text);
    case Form::kSize:
      return parse_size_bytes(node.text);
    case Form::kCpu:
      return parse_cpu_millicores(node.text);
    default:
      return parse_integer(node);
  }
}

void Decoder::number(const Node& node, const Field& field, Message& out, const Place& at) {
  const Form form = form_of(field);
  const Rule& rule = rule_of(field);
  const auto parsed = parse_number(form, node);
  if (!parsed) return fault(at, parsed.error().message);
  const bool narrow = field.cpp_type() == Field::CPPTYPE_INT32;
  CHECK(narrow || field.cpp_type() == Field::CPPTYPE_INT64);
  using Int32 = std::numeric_limits<std::int32_t>;
  const std::int64_t min = narrow ? std::max<std::int64_t>(rule.min, Int32::min()) : rule.min;
  const std::int64_t max = narrow ? std::min<std::int64_t>(rule.max, Int32::max()) : rule.max;
  if ((*parsed < min || *parsed > max) && !(rule.zero_allowed && *parsed == 0)) {
    return fault(at, "is " + format_number(form, *parsed) + ", allowed is " +
                         (rule.zero_allowed ? "0 or " : "") + format_number(form, min) + " to " +
                         format_number(form, max));
  }
  if (narrow)
    out.GetReflection()->SetInt32(&out, &field, static_cast<std::int32_t>(*parsed));
  else
    out.GetReflection()->SetInt64(&out, &field, *parsed);
}

void Decoder::choice(const Node& node, const Field& field, Message& out, const Place& at) {
  const EnumDescriptor& type = *field.enum_type();
  std::vector<std::string> allowed;
  for (int i = 0; i < type.value_count(); ++i) {
    allowed.push_back(choice_name(type.value(i)->name()));
    if (allowed.back() == node.text)
      return out.GetReflection()->SetEnum(&out, &field, type.value(i));
  }
  fault(at, "is '" + node.text.substr(0, kNameBytesMax) + "', allowed is one of " +
                joined(allowed) + did_you_mean(node.text, allowed));
}

}  // namespace

void decode(const std::string& file, const Node& node, Message& message, Lines& lines,
            std::vector<Fault>& faults) {
  Decoder(file, lines, faults).message(node, message, "");
}

}  // namespace subito::manifest
