// Dashboard and alerts ask for nothing that a node does not tell.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "runtime/metrics/families.h"

namespace subito::observe {
namespace {

using Json = nlohmann::json;
using Names = std::set<std::string>;

std::string text_of(const std::string& name) {
  std::ifstream file(OBSERVE_DIR "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

Names told_by_a_node() {
  Names names;
  for (const metrics::Family* family : metrics::all_families()) {
    const std::string name = metrics::sample_name(*family);
    if (family->type != metrics::Type::kHistogram) {
      names.insert(name);
      continue;
    }
    for (const char* suffix : {"_bucket", "_count", "_sum"}) names.insert(name + suffix);
  }
  return names;
}

Names names_in(const std::string& query) {
  static const std::regex kName("\\b(?:subito|process)_[a-z_]+\\b");
  return {std::sregex_token_iterator(query.begin(), query.end(), kName),
          std::sregex_token_iterator()};
}

// Every "expr", and the queries of variables.
void collect(const Json& json, std::string& queries, int& count) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (value.is_string() && (key == "expr" || key == "query")) {
        queries += value.get<std::string>() + "\n";
        ++count;
      } else {
        collect(value, queries, count);
      }
    }
  } else if (json.is_array()) {
    for (const Json& value : json) collect(value, queries, count);
  }
}

TEST(Observe, TheDashboardAsksForWhatANodeTells) {
  std::string queries;
  int count = 0;
  collect(Json::parse(text_of("dashboard.json")), queries, count);
  EXPECT_GT(count, 40);
  const Names told = told_by_a_node(), asked = names_in(queries);
  EXPECT_GT(asked.size(), 30U);
  for (const std::string& name : asked) EXPECT_TRUE(told.contains(name)) << name;
}

TEST(Observe, SoDoTheAlerts) {
  const Names told = told_by_a_node();
  for (const char* file : {"alerts.yml", "alerts_test.yml"}) {
    const Names asked = names_in(text_of(file));
    EXPECT_GT(asked.size(), 10U);
    for (const std::string& name : asked) EXPECT_TRUE(told.contains(name)) << file << ": " << name;
  }
}

TEST(Observe, EveryAlertSaysWhatToDoAndIsTested) {
  const std::string alerts = text_of("alerts.yml"), tests = text_of("alerts_test.yml");
  static const std::regex kAlert("- alert: (\\w+)");
  int count = 0;
  for (std::sregex_iterator at(alerts.begin(), alerts.end(), kAlert), end; at != end; ++at) {
    const std::string rest = alerts.substr(static_cast<std::size_t>(at->position()) + 1);
    const std::string rule = rest.substr(0, rest.find("- alert: "));
    EXPECT_NE(rule.find("action: "), rule.npos) << (*at)[1];
    EXPECT_NE(rule.find("severity: "), rule.npos) << (*at)[1];
    EXPECT_NE(tests.find("alertname: " + (*at)[1].str() + "\n"), tests.npos) << (*at)[1];
    ++count;
  }
  EXPECT_GT(count, 10);
}

}  // namespace
}  // namespace subito::observe
