// docs/manifest.md, docs/cli.md and the end of docs/observability.md are what the binary prints;
// ./dev docs writes them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "bench/options.h"
#include "bench/simulate/options.h"
#include "deploy/cli/cli.h"

namespace subito::node {
namespace {

std::string printed(const std::string& kind) {
  std::ostringstream out, err;
  std::istringstream in;
  const cli::Environment environment{
      .out = out,
      .err = err,
      .in = in,
      .variable = [](const char*) { return std::nullopt; },
      .now_unix_ns = [] { return std::int64_t{0}; },
      .exists = {},
      .connect = {},
      .enter_pod = {},
      .run = {},
      .prefix = {},
  };
  cli::Hooks hooks;
  hooks.see_bench = bench::see_bench;
  hooks.see_simulate = simulate::see_simulate;
  EXPECT_EQ(cli::run({"reference", kind}, environment, hooks), 0) << err.str();
  return out.str();
}

std::string page(const std::string& name) {
  std::ifstream file(SUBITO_SOURCE_DIR "/docs/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Docs, AreWhatTheBinaryPrints) {
  EXPECT_TRUE(page("manifest.md") == printed("manifest"))
      << "docs/manifest.md differs from `subito reference manifest`; renew it with `./dev docs`";
  EXPECT_TRUE(page("cli.md") == printed("cli"))
      << "docs/cli.md differs from `subito reference cli`; renew it with `./dev docs`";
  EXPECT_TRUE(page("observability.md").ends_with("\n\n" + printed("metrics")))
      << "docs/observability.md does not end with `subito reference metrics`; renew it with "
         "`./dev docs`";
}

TEST(Docs, TellTheCommandsOfOtherPartsToo) {
  EXPECT_NE(printed("cli").find("\n## subito bench cold-start\n"), std::string::npos);
  EXPECT_NE(printed("cli").find("--cold-start TIME"), std::string::npos);
}

}  // namespace
}  // namespace subito::node
