// Reference: everything that a manifest may say, for people: made of the comments of
// function.proto, of the rules and of the defaults, so that it never differs from what is read.
// Plain values, made at the first call and kept; const, for any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace subito::manifest {

struct FieldReference {
  struct Choice {  // a value of a field that has but a few
    std::string name;
    std::string description;
  };

  // "spec.scaling.idle"; what is in a list without its place: "spec.routes.path". Empty: all of it.
  std::string path;
  std::string name;           // "idle"
  std::string type;           // "duration", "list of mappings"
  std::string default_value;  // as it is written: "30s"; empty: there is none
  std::string allowed;        // "0s to 24h", "at most 64"; empty: the description says it
  std::string description;    // one paragraph
  std::string example;        // a value in YAML; with a line break: a block of its own lines
  bool required = false;
  bool is_list = false;
  std::vector<Choice> choices;
  std::vector<FieldReference> fields;  // in the order of function.proto
};

// The manifest as a whole, with all fields below it.
const FieldReference& manifest_reference();

// What `word` stands for: a path, or the last parts of one ("scaling.idle", "idle"), also as it
// stands in messages ("spec.routes[1].path"); else a value that one field alone takes
// ("histogram"). Empty: nothing; several: it is ambiguous.
std::vector<const FieldReference*> find_references(std::string_view word);
// All that stands for a field, for "did you mean": names, paths and the ends of these.
std::vector<std::string> reference_words();
// Fields that share a word with one that is none, "max" with "pods_max" or "scaling.maximum": those
// of the same name, if there are any, else those of which one begins with the other.
std::vector<const FieldReference*> similar_references(std::string_view word);

// The field's example where it belongs in a manifest; of a field in a list that of the list; of the
// manifest as a whole the shortest one.
std::string example_yaml(const FieldReference& field);
// A manifest with every field, as long as their examples go.
std::string full_example_yaml();

}  // namespace subito::manifest
