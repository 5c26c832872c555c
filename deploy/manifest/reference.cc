#include "deploy/manifest/reference.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/letters.h"
#include "deploy/manifest/rules.h"
#include "runtime/base/check.h"

namespace subito::manifest {

// function.proto as protoc understood it, comments included (embed.cmake).
extern const unsigned char kFunctionDescriptor[];
extern const std::size_t kFunctionDescriptor_bytes;

namespace {

namespace pb = google::protobuf;

struct Comment {
  std::string text;
  std::string example;
};

std::string without_indent(const std::string& line, std::size_t indent) {
  return line.substr(std::min(indent, line.size()));
}

// Lines of a comment: up to "Example:" one paragraph, behind it the example.
template <typename Descriptor>
Comment comment_of(const Descriptor& descriptor) {
  constexpr std::string_view kExample = "Example:";
  Comment comment;
  pb::SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return comment;
  std::istringstream lines(location.leading_comments);
  bool in_example = false;
  for (std::string line; std::getline(lines, line);) {
    line = without_indent(line, 1);
    if (in_example) {
      comment.example += without_indent(line, 2) + "\n";
    } else if (line.compare(0, kExample.size(), kExample) == 0) {
      in_example = true;
      comment.example = without_indent(line, kExample.size() + 1);
    } else {
      comment.text += (comment.text.empty() || line.empty() ? "" : " ") + line;
    }
  }
  return comment;
}

std::string scalar_words(const Field& field) {
  switch (form_of(field)) {
    case Form::kText:
      return "text";
    case Form::kBool:
      return "true or false";
    case Form::kInteger:
      return "whole number";
    case Form::kDuration:
      return "duration";
    case Form::kSize:
      return "size";
    case Form::kCpu:
      return "share of a CPU";
    case Form::kChoice:
      return "word";
    case Form::kMessage:
      return "mapping";
    case Form::kTextMap:
      return "mapping of texts";
  }
  return "";
}

std::string type_words(const Field& field) {
  const std::string one = scalar_words(field);
  return field.is_repeated() && !field.is_map() ? "list of " + one + "s" : one;
}

std::string allowed_words(const Field& field) {
  const Rule& rule = rule_of(field);
  if (field.is_repeated())
    return rule.count_max == kCountMax ? "" : "at most " + std::to_string(rule.count_max);
  if (rule.max == std::numeric_limits<std::int64_t>::max()) return "";
  const Form form = form_of(field);
  return (rule.zero_allowed ? "0 or " : "") + format_number(form, rule.min) + " to " +
         format_number(form, rule.max);
}

// Messages of one type that apply_defaults() has filled in; of several each shows another kind.
using Samples = std::vector<const pb::Message*>;

const Field& built_field(const Field& field, const pb::Message& sample) {
  return *sample.GetDescriptor()->FindFieldByName(field.name());
}

// What stands in the samples below a field that holds messages.
Samples samples_below(const Field& field, const Samples& samples) {
  Samples below;
  for (const pb::Message* sample : samples) {
    const pb::Reflection& reflection = *sample->GetReflection();
    const Field& built = built_field(field, *sample);
    if (!field.is_repeated()) {
      below.push_back(&reflection.GetMessage(*sample, &built));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*sample, &built); ++i)
      below.push_back(&reflection.GetRepeatedMessage(*sample, &built, i));
  }
  return below;
}

// What apply_defaults() put into a message, as it is written.
std::string default_words(const Field& field, const Samples& samples) {
  if (const std::string_view other = rule_of(field).default_of; !other.empty())
    return std::string(other);
  const Form form = form_of(field);
  if (form == Form::kBool) return "false";
  if (field.is_repeated() || form == Form::kMessage) return "";
  const auto has = [&](const pb::Message* sample) {
    return sample->GetReflection()->HasField(*sample, &built_field(field, *sample));
  };
  const auto found = std::find_if(samples.begin(), samples.end(), has);
  if (found == samples.end()) return "";
  const Field& built = built_field(field, **found);
  const pb::Reflection& reflection = *(*found)->GetReflection();
  if (form == Form::kText) return reflection.GetString(**found, &built);
  if (form == Form::kChoice) return choice_name(reflection.GetEnum(**found, &built)->name());
  return format_number(form, built.cpp_type() == Field::CPPTYPE_INT32
                                 ? reflection.GetInt32(**found, &built)
                                 : reflection.GetInt64(**found, &built));
}

// The sentence with which a comment ends, as far as the field's other facts tell it: "Required.",
// "Default 30s; 1ms to 15m.", "At most 64."
std::string facts_sentence(const FieldReference& field) {
  if (field.required) return "Required.";
  std::string words = field.allowed;
  if (!field.default_value.empty())
    words = "Default " + field.default_value + (words.empty() ? "" : "; " + words);
  if (words.empty()) return "";
  words[0] = upper(words[0]);
  return words + ".";
}

std::string without_end(const std::string& text, const std::string& end) {
  const bool ends = !end.empty() && text.size() > end.size() &&
                    text.compare(text.size() - end.size(), end.size(), end) == 0;
  return ends ? text.substr(0, text.size() - end.size() - 1) : text;
}

void add_fields(FieldReference& into, const pb::Descriptor& type, const Samples& samples);

FieldReference reference_of(const Field& field, const std::string& above, const Samples& samples) {
  FieldReference out;
  const Comment comment = comment_of(field);
  out.name = user_name(field);
  out.path = above.empty() ? out.name : above + "." + out.name;
  out.type = type_words(field);
  out.required = rule_of(field).required;
  out.is_list = field.is_repeated() && !field.is_map();
  if (!out.required) out.default_value = default_words(field, samples);
  out.allowed = allowed_words(field);
  out.description = without_end(comment.text, facts_sentence(out));
  out.example = comment.example;
  if (form_of(field) == Form::kChoice) {
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      const pb::EnumValueDescriptor& value = *field.enum_type()->value(i);
      out.choices.push_back({choice_name(value.name()), comment_of(value).text});
    }
  }
  if (form_of(field) != Form::kMessage) return out;
  add_fields(out, *field.message_type(), samples_below(field, samples));
  return out;
}

void add_fields(FieldReference& into, const pb::Descriptor& type, const Samples& samples) {
  for (int i = 0; i < type.field_count(); ++i)
    into.fields.push_back(reference_of(*type.field(i), into.path, samples));
}

FieldReference make_reference() {
  pb::FileDescriptorSet files;
  const bool read =
      files.ParseFromArray(kFunctionDescriptor, static_cast<int>(kFunctionDescriptor_bytes));
  CHECK(read && files.file_size() == 1);
  pb::DescriptorPool pool;
  const pb::FileDescriptor* file = pool.BuildFile(files.file(0));
  CHECK(file != nullptr);
  const pb::Descriptor& type = *file->FindMessageTypeByName("Function");
  Function defaults;
  // There for their defaults.
  defaults.mutable_spec()->mutable_scaling()->mutable_knative();
  defaults.mutable_spec()->add_breakers();
  defaults.mutable_spec()->add_config();
  defaults.mutable_spec()->add_secrets();
  defaults.mutable_spec()->add_triggers()->mutable_stream();
  defaults.mutable_spec()->add_triggers()->mutable_due();
  apply_defaults(defaults);
  FieldReference root;
  root.type = "mapping";
  root.description = comment_of(type).text;
  add_fields(root, type, {&defaults});
  return root;
}

template <typename See>
void for_each(const FieldReference& field, const See& see) {
  for (const FieldReference& below : field.fields) {
    see(below);
    for_each(below, see);
  }
}

// "spec.routes[1].path" without "[1]".
std::string without_places(std::string_view word) {
  std::string out;
  bool in_brackets = false;
  for (const char c : word) {
    if (c == '[') in_brackets = true;
    if (!in_brackets) out += c;
    if (c == ']') in_brackets = false;
  }
  return out;
}

bool ends_in(std::string_view path, std::string_view word) {
  if (path.size() < word.size() || path.substr(path.size() - word.size()) != word) return false;
  return path.size() == word.size() || path[path.size() - word.size() - 1] == '.';
}

// Fields of which it is one of the few values.
std::vector<const FieldReference*> fields_of_value(std::string_view word) {
  std::vector<const FieldReference*> found;
  for_each(manifest_reference(), [&](const FieldReference& field) {
    for (const FieldReference::Choice& choice : field.choices) {
      if (choice.name == word) found.push_back(&field);
    }
  });
  return found;
}

// "pods_max", "podsMax" and "pods-max" are "pods" and "max".
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words = {""};
  for (const char c : name) {
    const bool separates = c == '_' || c == '-';
    if ((separates || is_upper(c)) && !words.back().empty()) words.emplace_back();
    if (!separates) words.back() += lower(c);
  }
  return words;
}

// "max" and "maximum".
bool begins_alike(const std::string& a, const std::string& b) {
  constexpr std::size_t kLeast = 3;
  const std::size_t shared = std::min(a.size(), b.size());
  return shared >= kLeast && a.compare(0, shared, b, 0, shared) == 0;
}

void put_value(std::string& out, const FieldReference& field, std::size_t indent) {
  out += std::string(indent, ' ') + field.name + ":";
  if (field.example.find('\n') == std::string::npos) {
    out += " " + field.example + "\n";
    return;
  }
  out += "\n";
  std::istringstream lines(field.example);
  for (std::string line; std::getline(lines, line);)
    out += std::string(indent + 2, ' ') + line + "\n";
}

void put_whole(std::string& out, const FieldReference& field, std::size_t indent) {
  if (field.fields.empty() || field.is_list) return put_value(out, field, indent);
  out += std::string(indent, ' ') + field.name + ":\n";
  for (const FieldReference& below : field.fields) put_whole(out, below, indent + 2);
}

}  // namespace

const FieldReference& manifest_reference() {
  static const FieldReference* const kReference = new FieldReference(make_reference());
  return *kReference;
}

std::vector<const FieldReference*> find_references(std::string_view word) {
  const std::string path = without_places(word);
  std::vector<const FieldReference*> found;
  if (path.empty()) return found;
  bool exact = false;
  for_each(manifest_reference(), [&](const FieldReference& field) {
    if (exact || !ends_in(field.path, path)) return;
    exact = field.path == path;
    if (exact) found.clear();
    found.push_back(&field);
  });
  return found.empty() ? fields_of_value(path) : found;
}

std::vector<std::string> reference_words() {
  std::vector<std::string> words;
  for_each(manifest_reference(), [&](const FieldReference& field) {
    for (std::size_t at = 0;; ++at) {
      words.push_back(field.path.substr(at));
      at = field.path.find('.', at);
      if (at == std::string::npos) break;
    }
  });
  return words;
}

std::vector<const FieldReference*> similar_references(std::string_view word) {
  const std::string path = without_places(word);
  const std::vector<std::string> words = words_of(path.substr(path.rfind('.') + 1));
  std::vector<const FieldReference*> same, similar;
  for_each(manifest_reference(), [&](const FieldReference& field) {
    const std::string name = lower(field.name);
    for (const std::string& one : words) {
      if (name == one) same.push_back(&field);
      if (begins_alike(name, one)) similar.push_back(&field);
    }
  });
  return same.empty() ? similar : same;
}

std::string example_yaml(const FieldReference& field) {
  std::string out;
  if (field.path.empty()) {
    for (const FieldReference& below : field.fields) put_value(out, below, 0);
    return out;
  }
  const FieldReference* at = &manifest_reference();
  std::size_t indent = 0;
  for (;; indent += 2) {
    at = &*std::find_if(at->fields.begin(), at->fields.end(), [&](const FieldReference& below) {
      return below.path == field.path ||
             field.path.compare(0, below.path.size() + 1, below.path + ".") == 0;
    });
    if (at->path == field.path || at->is_list) break;
    out += std::string(indent, ' ') + at->name + ":\n";
  }
  put_value(out, *at, indent);
  return out;
}

std::string full_example_yaml() {
  std::string out;
  for (const FieldReference& below : manifest_reference().fields) put_whole(out, below, 0);
  return out;
}

}  // namespace subito::manifest
