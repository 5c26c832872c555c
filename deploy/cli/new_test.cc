#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"
#include "deploy/cli/templates.h"
#include "deploy/manifest/manifest.h"

namespace subito::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class NewTest : public CliTest {
 protected:
  static std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
};

TEST_F(NewTest, WritesAFunctionOfThatNameAndTellsWhatNext) {
  const std::string greeter = folder_ + "/greeter";
  const Printed output = run({"new", greeter + "/"});
  EXPECT_EQ(output.code, kOk) << output.err;
  EXPECT_THAT(output.out, HasSubstr("wrote " + greeter + "/ from the template hello:\n"));
  EXPECT_THAT(output.out, HasSubstr("  " + greeter + "/greeter_test.cc\n"));
  EXPECT_THAT(output.out, HasSubstr("\n  sudo subito deploy " + greeter + "/ "));
  EXPECT_THAT(read(greeter + "/greeter.cc"), HasSubstr("#include \"greeter.h\""));
  EXPECT_THAT(read(greeter + "/CMakeLists.txt"),
              HasSubstr("subito_function(greeter SOURCES main.cc greeter.cc)"));
}

TEST_F(NewTest, EveryTemplateHasTheNameEverywhereAndAManifestWithoutFaults) {
  for (const Template& from : templates()) {
    const std::string folder = folder_ + "/" + std::string(from.name) + "/my-own";
    const Printed output = run({"new", folder, "--template", std::string(from.name)});
    ASSERT_EQ(output.code, kOk) << output.err;
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      ++files;
      const std::string text = entry.path().string() + read(entry.path().string());
      EXPECT_EQ(text.find(kTemplateName), text.npos) << entry.path();
    }
    EXPECT_EQ(files, from.files.size());
    const manifest::Manifests read = manifest::load({folder});
    EXPECT_EQ(read.faults.size(), 0U) << to_string(read.faults);
    ASSERT_EQ(read.manifests.size(), 1U);
    EXPECT_EQ(read.manifests[0].function.metadata().name(), "my-own");
    EXPECT_EQ(read.manifests[0].binary_path(), folder + "/build/my-own");
  }
  EXPECT_EQ(templates().size(), 3U);
}

TEST_F(NewTest, RefusesNamesThatAManifestWouldNotTake) {
  const Printed output = run({"new", folder_ + "/Greeter"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err, HasSubstr("Greeter: the name is 'Greeter', allowed "));
  EXPECT_FALSE(fs::exists(folder_ + "/Greeter"));
  EXPECT_EQ(run({"new", ".."}).code, kUsage);
  EXPECT_EQ(run({"new", ""}).code, kUsage);
}

TEST_F(NewTest, MainIsTheProgramsOwnFile) {
  const Printed refused = run({"new", folder_ + "/main"});
  EXPECT_EQ(refused.code, kUsage);
  EXPECT_THAT(refused.err, HasSubstr("choose another name"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/main"));
}

TEST_F(NewTest, NamesTheNearestTemplateAndAllOfThem) {
  const Printed output = run({"new", folder_ + "/a", "--template", "hallo"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err, HasSubstr("a: there is no template 'hallo'; did you mean 'hello'?; there "
                                    "are hello, redis, calls\n"));
  EXPECT_FALSE(fs::exists(folder_ + "/a"));
}

TEST_F(NewTest, WritesOverNothing) {
  fs::create_directory(folder_ + "/full");
  write("full/precious", "mine");
  Printed output = run({"new", folder_ + "/full"});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_THAT(output.err, HasSubstr("full: the folder is there and not empty; choose another"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/full"), {}), 1);
  write("taken", "mine");
  output = run({"new", folder_ + "/taken"});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_THAT(output.err, HasSubstr("taken: there is a file of that name"));
  fs::create_directory(folder_ + "/empty");
  EXPECT_EQ(run({"new", folder_ + "/empty"}).code, kOk);
}

TEST_F(NewTest, AFunctionThatCallsHelloIsNotHello) {
  const Printed output = run({"new", folder_ + "/hello", "--template", "calls"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err, HasSubstr("would call itself"));
  EXPECT_FALSE(fs::exists(folder_ + "/hello"));
}

TEST_F(NewTest, TheFunctionThatIsCalledMayHaveAnotherName) {
  const std::string folder = folder_ + "/hello-basket";
  const Printed output = run({"new", folder, "--template", "calls", "--calls", "price-list"});
  EXPECT_EQ(output.code, kOk) << output.err;
  EXPECT_THAT(output.out, HasSubstr("\n  price-list is the function it calls; deploy that, too\n"));
  const manifest::Manifests manifests = manifest::load({folder});
  ASSERT_EQ(manifests.manifests.size(), 1U);
  EXPECT_EQ(manifests.manifests[0].function.metadata().name(), "hello-basket");
  EXPECT_EQ(manifests.manifests[0].function.spec().calls(0), "price-list");
  EXPECT_THAT(read(folder + "/hello-basket.h"), HasSubstr("kCalled[] = \"price-list\";"));
  EXPECT_THAT(read(folder + "/README.md"),
              HasSubstr("CALL_PRICE_LIST_URL=http://127.0.0.1:8080/function/price-list "));
  EXPECT_THAT(run({"new", folder_ + "/b", "--template", "calls"}).out,
              HasSubstr("\n  hello is the function it calls"));
}

TEST_F(NewTest, RefusesACalledFunctionThatCannotBe) {
  const std::string folder = folder_ + "/a";
  const auto refused = [&](const std::string& from, const std::string& called) {
    const Printed output = run({"new", folder, "--template", from, "--calls", called});
    EXPECT_EQ(output.code, kUsage);
    return output.err;
  };
  EXPECT_THAT(refused("hello", "b"), HasSubstr("a: --calls is for --template calls\n"));
  EXPECT_THAT(refused("calls", "B"), HasSubstr("a: --calls is 'B', allowed are lower-case"));
  EXPECT_THAT(refused("calls", "a"), HasSubstr("a function that calls a, and would call itself"));
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace subito::cli
