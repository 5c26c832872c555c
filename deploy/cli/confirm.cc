#include "deploy/cli/confirm.h"

#include <algorithm>
#include <istream>

namespace subito::cli {

Outcome<std::vector<std::string>> chosen_functions(const Session& session, Node& node,
                                                   const std::string& name,
                                                   const std::string& selector,
                                                   bool all_namespaces) {
  if (selector.empty()) return std::vector<std::string>{name};
  const auto list = node.get("/v1/functions?" + namespace_query(session, all_namespaces) + "&" +
                             selector_query(selector));
  if (!list) return tl::unexpected<Failure>(list.error());
  std::vector<std::string> names;
  for (const Json& item : list->at("items")) names.push_back(item.at("name"));
  if (!names.empty()) return names;
  return tl::unexpected<Failure>(Failure{
      kNotFound,
      "select " + selector + ": no function " +
          (all_namespaces ? std::string() : "of namespace " + session.namespace_in_use() + " ") +
          "has such labels",
      {}});
}

std::string counted(const Json& items, const std::string& one, const std::string& plural) {
  if (items.empty()) return "";
  std::string words = std::to_string(items.size()) + " " + (items.size() == 1 ? one : plural);
  const std::size_t shown = std::min(items.size(), kNamesShownMax);
  for (std::size_t i = 0; i < shown; ++i) words += ", " + printable(items[i].value("name", ""));
  if (shown < items.size()) words += " and " + std::to_string(items.size() - shown) + " more";
  return words;
}

Outcome<void> confirm(const Session& session, const std::string& doing, const std::string& what,
                      bool yes) {
  if (yes) return {};
  const Environment& environment = session.environment;
  const std::string said = doing + ": " + what;
  if (!environment.err_is_terminal)
    return tl::unexpected<Failure>(Failure{kUsage, said + "; say --yes if that is meant", {}});
  environment.err << said << "\nType 'yes' if that is meant: " << std::flush;
  std::string answer;
  std::getline(environment.in, answer);
  if (answer == "yes" || answer == "y") return {};
  return tl::unexpected<Failure>(Failure{kFailed, doing + ": nothing was changed", {}});
}

}  // namespace subito::cli
