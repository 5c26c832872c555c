#include "deploy/cli/confirm.h"

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

Outcome<void> confirm(const Session& session, const std::string& doing, const Json& functions,
                      bool yes) {
  if (yes) return {};
  const Environment& environment = session.environment;
  std::string names;
  for (const Json& function : functions) {
    names += (names.empty() ? "" : ", ") + printable(function.value("name", ""));
  }
  const std::string what = doing + ": " + std::to_string(functions.size()) +
                           (functions.size() == 1 ? " function, " : " functions, ") + names;
  if (!environment.err_is_terminal)
    return tl::unexpected<Failure>(Failure{kUsage, what + "; say --yes if that is meant", {}});
  environment.err << what << "\nType 'yes' if that is meant: " << std::flush;
  std::string answer;
  std::getline(environment.in, answer);
  if (answer == "yes" || answer == "y") return {};
  return tl::unexpected<Failure>(Failure{kFailed, doing + ": nothing was changed", {}});
}

}  // namespace subito::cli
