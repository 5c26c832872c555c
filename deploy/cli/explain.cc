// subito explain [FIELD]: what a manifest may say, from the comments of function.proto.
#include <memory>
#include <sstream>

#include "deploy/cli/session.h"
#include "deploy/manifest/reference.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

using manifest::FieldReference;

constexpr std::size_t kExplainColumns = 90;

std::string first_sentence(const std::string& text) {
  const std::size_t end = text.find(". ");
  return end == text.npos ? text : text.substr(0, end + 1);
}

Json json_of(const FieldReference& field, bool with_below) {
  Json json = {{"field", field.path}, {"type", field.type}, {"required", field.required}};
  if (!field.default_value.empty()) json["default"] = field.default_value;
  if (!field.allowed.empty()) json["allowed"] = field.allowed;
  json["description"] = field.description;
  for (const FieldReference::Choice& choice : field.choices)
    json["values"].push_back({{"name", choice.name}, {"description", choice.description}});
  if (!with_below) return json;
  json["example"] = manifest::example_yaml(field);
  json["fields"] = Json::array();
  for (const FieldReference& below : field.fields) json["fields"].push_back(json_of(below, false));
  return json;
}

class Explain {
 public:
  Explain(const Session& session, const FieldReference& field) : session_(session), field_(field) {}

  void print() const {
    print_head();
    session_.out() << '\n' << wrapped(field_.description, kExplainColumns, "  ");
    if (!field_.choices.empty()) print_choices();
    if (!field_.fields.empty()) print_fields();
    heading("EXAMPLE");
    std::istringstream lines(manifest::example_yaml(field_));
    for (std::string line; std::getline(lines, line);) session_.out() << "  " << line << '\n';
    if (!field_.fields.empty())
      session_.out() << "\n`subito explain " << (field_.path.empty() ? "" : field_.path + ".")
                     << field_.fields.front().name << "` tells more of one.\n";
  }

 private:
  void heading(const char* text) const {
    session_.out() << '\n' << coloured(text, Colour::kBold, session_.colours()) << '\n';
  }

  void print_head() const {
    const auto line = [&](const char* label, const std::string& value) {
      if (value.empty()) return;
      std::string padded = label;
      padded.resize(9, ' ');
      session_.out() << coloured(padded, Colour::kBold, session_.colours()) << value << '\n';
    };
    line("FIELD", field_.path.empty() ? "the manifest as a whole" : field_.path);
    line("TYPE", field_.type + (field_.required ? ", required" : ""));
    line("DEFAULT", field_.default_value);
    line("ALLOWED", field_.allowed);
  }

  void print_choices() const {
    heading("VALUES");
    for (const FieldReference::Choice& choice : field_.choices)
      session_.out() << wrapped(choice.name + ": " + choice.description, kExplainColumns, "  ");
  }

  void print_fields() const {
    session_.out() << '\n';
    Table table({"FIELD", "TYPE", "DEFAULT", "WHAT IT IS"});
    for (const FieldReference& below : field_.fields)
      table.add({below.name, below.type, below.required ? "required" : below.default_value,
                 first_sentence(below.description)});
    table.print(session_.out(), session_.colours(), "  ");
  }

  const Session& session_;
  const FieldReference& field_;
};

std::string commands_for(const std::vector<const FieldReference*>& fields) {
  std::string lines;
  for (const FieldReference* field : fields) lines += "\n  subito explain " + field->path;
  return lines;
}

// Of a word that stands for no field.
std::string unknown_words(const std::string& word) {
  const auto meant = manifest::nearest(word, manifest::reference_words());
  const auto similar =
      meant ? manifest::find_references(*meant) : manifest::similar_references(word);
  const std::string none = "there is no such field";
  if (similar.empty()) return none + "; `subito explain` lists those there are";
  if (similar.size() == 1) return none + "; did you mean '" + similar.front()->path + "'?";
  return none + "; did you mean one of" + commands_for(similar);
}

// The one field that is meant, or why it cannot be told.
Outcome<const FieldReference*> field_named(const std::string& word) {
  if (word.empty()) return &manifest::manifest_reference();
  const auto found = manifest::find_references(word);
  if (found.size() == 1) return found.front();
  std::string message = "explain " + word + ": ";
  message +=
      found.empty() ? unknown_words(word) : "there are several; say one of" + commands_for(found);
  return tl::unexpected<Failure>(Failure{kUsage, message, {}});
}

int explain(const Session& session, const std::string& word, bool json) {
  const auto field = field_named(word);
  if (!field) return session.tell(field.error());
  if (json)
    session.out() << json_of(**field, true).dump(2) << '\n';
  else
    Explain(session, **field).print();
  return kOk;
}

}  // namespace

void add_explain(CLI::App& app, Session& session) {
  struct Options {
    std::string field;
    Output output;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand("explain", "What a manifest may say: explain [FIELD]");
  command.group("Looking");
  command.add_option("FIELD", options->field, "of the manifest: spec.scaling.idle, or idle")
      ->type_name("");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] {
      return explain(session, options->field, options->output.json());
    };
  });
}

}  // namespace subito::cli
