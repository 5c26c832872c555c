#include "runtime/metrics/families.h"

#include <gtest/gtest.h>

#include <set>

namespace subito::metrics {
namespace {

TEST(Families, HaveNamesOfTheirOwnWithUnitAndWords) {
  std::set<std::string_view> names;
  for (const Family* family : all_families()) {
    EXPECT_TRUE(names.insert(family->name).second) << family->name;
    EXPECT_FALSE(family->help.empty()) << family->name;
    EXPECT_TRUE(family->help.ends_with('.')) << family->name;
    EXPECT_TRUE(family->unit.empty() || family->name.ends_with("_" + std::string(family->unit)))
        << family->name;
    EXPECT_EQ(family->name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), family->name.npos);
    EXPECT_TRUE(family->name.starts_with("subito_") || family->name.starts_with("process_"));
    EXPECT_FALSE(family->name.ends_with("_total") || family->name.ends_with("_info"));
  }
}

TEST(Families, HistogramsAreInSeconds) {
  for (const Family* family : all_families()) {
    const bool counts_time = family->type != Type::kHistogram || family->unit == "seconds";
    EXPECT_TRUE(counts_time) << family->name;
  }
}

TEST(Families, TheTableHasALineForEach) {
  const std::string table = families_markdown();
  for (const Family* family : all_families()) {
    EXPECT_NE(table.find("| `" + sample_name(*family) + "` | "), table.npos) << family->name;
  }
}

}  // namespace
}  // namespace subito::metrics
