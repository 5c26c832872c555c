#include "runtime/node/metrics/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "runtime/node/metrics/metrics_testing.h"

namespace subito::node {
namespace {

using testing::EndsWith;

class MetricsPageTest : public MetricsFixture, public testing::Test {
 protected:
  void answer_one(CallerToken token, int status) {
    FakePod& pod = home->pods.empty() ? start() : *home->pods.back();
    invoke(token);
    pod.answer(pod.expect_invoke().header.stream, status, "");
    settle();
  }
  FakePod& start() {
    FakePod& pod = warm_pod();
    return pod;
  }
};

TEST_F(MetricsPageTest, TellsWhatAFunctionDid) {
  const double before =
      sample(page(), "subito_function_requests_total{function=\"echo\",code=\"5xx\"}");
  EXPECT_EQ(before, 0) << "the first failure is to be seen as a rise";
  answer_one(7, 503);
  const std::string text = page();
  EXPECT_EQ(sample(text, "subito_function_requests_total{function=\"echo\",code=\"5xx\"}"), 1);
  EXPECT_EQ(sample(text, "subito_function_pods{function=\"echo\",state=\"idle\"}"), 1);
  EXPECT_EQ(sample(text,
                   "subito_function_starts_total{function=\"echo\",mode=\"pooled\",reason="
                   "\"waiting\"}"),
            1);
  EXPECT_EQ(sample(text,
                   "subito_scheduler_decisions_total{decision=\"start\",reason="
                   "\"nothing_runs\"}"),
            1);
  EXPECT_EQ(sample(text, "subito_function_revision{function=\"echo\"}"), 1);
  EXPECT_EQ(sample(text, "subito_node_pods"), 1);
}

TEST_F(MetricsPageTest, AFunctionIsOneHoweverManyOfItsRevisionsServe) {
  add_functions(1);
  const double before = sample(page(), "subito_node_functions");
  auto second = std::make_shared<Revision>(*functions.find("f0")->revision);
  second->lane = functions.next_lane();
  engine.put_lane(second);
  EXPECT_EQ(sample(page(), "subito_node_functions"), before);
}

// OpenMetrics: a family has one head, and all its samples stand below it.
TEST_F(MetricsPageTest, EveryFamilyIsThereOnceWithItsSamplesBelow) {
  add_functions(3);
  answer_one(7, 200);
  std::string current;
  std::set<std::string> heads, series;
  for (const std::string& line : lines_of(page())) {
    if (line.starts_with("# TYPE ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(heads.insert(current).second) << current;
    }
    if (line.starts_with("#")) continue;
    const auto read = metrics::read_sample(line);
    ASSERT_TRUE(read) << line;
    EXPECT_TRUE(read->name.starts_with(current)) << line << " below " << current;
    EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
  }
  for (const metrics::Family* family : metrics::all_families()) {
    EXPECT_TRUE(heads.contains(std::string(family->name))) << family->name;
  }
  EXPECT_EQ(heads.size(), metrics::all_families().size());
  EXPECT_THAT(page(), EndsWith("\n# EOF\n"));
  EXPECT_THAT(page(metrics::Format::kText), testing::Not(testing::HasSubstr("# EOF")));
}

TEST_F(MetricsPageTest, LabelsAreThoseOfTheTable) {
  answer_one(7, 200);
  for (const std::string& line : lines_of(page())) {
    const auto read = metrics::read_sample(line);
    if (!read) continue;
    std::string labels;
    for (const auto& [name, value] : read->labels) {
      if (name == "le") continue;
      labels += (labels.empty() ? "" : ", ") + name;
    }
    const auto all = metrics::all_families();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const metrics::Family* family) {
      return read->name.starts_with(family->name) && family->labels == labels;
    })) << line;
  }
}

TEST_F(MetricsPageTest, NoSliceIsMuchLongerThanItsBound) {
  add_functions(300);
  gateway::Routes routes;
  for (std::size_t i = 0; i < gateway::RouteMeters::kRoutesMax; ++i) {
    ASSERT_TRUE(routes.add_route("/route-" + std::to_string(i), false, "echo", echo));
  }
  gateway.set_routes(std::move(routes));
  MetricsPage made(parts(), metrics::Format::kOpenMetrics);
  std::size_t slices = 0, bytes = 0;
  while (!made.done()) {
    const std::size_t size = made.next().size();
    EXPECT_LT(size, MetricsPage::kSliceBytes + (16 << 10));
    bytes += size;
    ++slices;
  }
  EXPECT_GT(slices, bytes / MetricsPage::kSliceBytes);
}

TEST_F(MetricsPageTest, FunctionsMayGoWhileAPageIsMade) {
  add_functions(200);
  MetricsPage made(parts(), metrics::Format::kOpenMetrics);
  std::string text(made.next());
  for (int i = 0; i < 200; ++i) {
    const std::string name = "f" + std::to_string(i);
    functions.remove(name);
    engine.remove_function(names[name]);
  }
  settle();
  while (!made.done()) text += made.next();
  EXPECT_THAT(text, EndsWith("\n# EOF\n"));
}

}  // namespace
}  // namespace subito::node
