// subito describe NAME
#include <memory>

#include "deploy/cli/session.h"

namespace subito::cli {

namespace {

std::string scalar(const Json& value) {
  if (!value.is_string()) return value.dump();
  return printable(value.get<std::string>());
}

// JSON in the shape of the manifest it came from. Depth is that of a manifest.
void print_yaml(std::ostream& out, const Json& value, const std::string& indent) {
  for (const auto& [key, child] : value.items()) {
    const std::string name = value.is_array() ? "-" : printable(key) + ":";
    if (!child.is_structured()) {
      out << indent << name << ' ' << scalar(child) << '\n';
    } else if (child.empty()) {
      out << indent << name << (child.is_array() ? " []\n" : " {}\n");
    } else {
      out << indent << name << '\n';
      print_yaml(out, child, indent + "  ");
    }
  }
}

void print_head(const Session& session, const Json& function) {
  const auto line = [&](const char* label, const std::string& value) {
    std::string padded = std::string(label) + ":";
    padded.resize(12, ' ');
    session.out() << coloured(padded, Colour::kBold, session.colours()) << value << '\n';
  };
  const std::string state = function.at("state");
  const std::string words = printable(function.value("stateWords", ""));
  line("Function", scalar(function.at("name")));
  line("State", coloured(state, colour_of_state(state), session.colours()) +
                    (words.empty() || words == state ? "" : ": " + words));
  line("URL", scalar(function.at("url")));
  line("Revision", function.at("revision").dump() + ", deployed " +
                       session.age(function.at("deployedAt")) + " ago");
  line("Binary", scalar(function.at("artefact")));
  line("Requests", function.at("requestsServed").dump() + " since the node started, " +
                       function.at("waiting").dump() + " waiting");
}

void print_events(const Session& session, const Json& events) {
  if (events.empty()) {
    session.out() << "  none\n";
    return;
  }
  Table table({"AGE", "REASON", "POD", "MESSAGE"});
  for (const Json& event : events) {
    const std::string pod = event.value("pod", "");
    table.add({session.age(event.at("time")), printable(event.value("reason", "")),
               pod.empty() ? "-" : printable(pod), printable(event.value("message", ""))});
  }
  table.print(session.out(), session.colours(), "  ");
}

int describe(const Session& session, const std::string& name, bool json) {
  Node node = session.node();
  const auto function = node.get("/v1/functions/" + encoded(name));
  if (!function) return session.tell(function.error());
  if (json) {
    session.out() << function->dump(2) << '\n';
    return kOk;
  }
  const auto pods = node.get("/v1/pods?function=" + encoded(name));
  if (!pods) return session.tell(pods.error());
  const auto heading = [&](const char* text) {
    session.out() << coloured(text, Colour::kBold, session.colours()) << '\n';
  };
  print_head(session, *function);
  heading("Spec:");
  print_yaml(session.out(), function->at("manifest").at("spec"), "  ");
  heading("Pods:");
  if (pods->at("items").empty())
    session.out() << "  none\n";
  else
    pods_table(session, pods->at("items"), false).print(session.out(), session.colours(), "  ");
  heading("Events:");
  print_events(session, function->at("events"));
  return kOk;
}

}  // namespace

void add_describe(CLI::App& app, Session& session) {
  struct Options {
    std::string name;
    Output output;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *app.add_subcommand("describe", "All about a function, with its events");
  command.add_option("NAME", options->name, "the function")->required()->type_name("");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] {
      return describe(session, options->name, options->output.json());
    };
  });
}

}  // namespace subito::cli
