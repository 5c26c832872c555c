// `deploy FOLDER`: what is built, how, and what is said when it cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class BuildTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    variables_["PATH"] = "/nowhere:/bin";
    files_ = {"/bin/cmake", "/bin/g++", "/bin/ninja"};
    fs::create_directory(project_ = folder_ + "/hello");
    write("hello/CMakeLists.txt", "");
    write("hello/function.yaml", manifest("hello", "build/hello"));
    program_ = [this](const std::vector<std::string>& command) { return cmake(command); };
  }

  static std::string manifest(const std::string& name, const std::string& binary) {
    return "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: " + name +
           "}\nspec:\n  binary: " + binary + "\n";
  }

  // As cmake: configuring leaves a cache, building a binary.
  ProgramEnd cmake(const std::vector<std::string>& command) const {
    if (command[1] == "-S") {
      fs::create_directory(project_ + "/build");
      write_build("CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=" + project_ + "\n");
      write_build("build.ninja", "");
    } else {
      fs::copy_file(ELF_SAMPLES "/elf_sample_static", project_ + "/build/hello",
                    fs::copy_options::overwrite_existing);
    }
    return {0, "compiling\n"};
  }
  void write_build(const std::string& name, const std::string& text) const {
    std::ofstream(project_ + "/build/" + name) << text;
  }

  std::string project_;
};

TEST_F(BuildTest, ConfiguresOnceThenBuildsAndDeploys) {
  const Printed first = run({"deploy", project_});
  EXPECT_EQ(first.code, kOk) << first.err;
  EXPECT_EQ(first.err, "");
  EXPECT_THAT(first.out, StartsWith("building " + project_ + " ...\nhello revision 1 is deployed"));
  ASSERT_EQ(commands_.size(), 2U);
  EXPECT_THAT(commands_[0],
              ElementsAre("cmake", "-S", project_, "-B", project_ + "/build",
                          "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF", "-G", "Ninja"));
  EXPECT_THAT(commands_[1],
              ElementsAre("cmake", "--build", project_ + "/build", "--parallel", testing::_));
  EXPECT_EQ(run({"deploy", project_ + "/"}).code, kOk);
  ASSERT_EQ(commands_.size(), 3U);
  EXPECT_EQ(commands_[2][1], "--build");
}

TEST_F(BuildTest, AsJsonNothingElseIsPrinted) {
  EXPECT_THAT(run({"deploy", project_, "-o", "json"}).out, StartsWith("{\n  \"items\": ["));
  terminal_ = true;
  const Printed shown = run({"deploy", project_, "-o", "json"});
  EXPECT_THAT(shown.out, StartsWith("{\n  \"items\": ["));
  EXPECT_THAT(shown.err, HasSubstr("building " + project_ + " ..."));
}

TEST_F(BuildTest, WithoutANodeNothingIsBuilt) {
  no_node_ = Error{ErrorCode::kUnavailable, "nobody listens", 0};
  const Printed output = run({"deploy", project_});
  EXPECT_EQ(output.code, kNoNode);
  EXPECT_THAT(output.err, HasSubstr("no node listens there"));
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(commands_, IsEmpty());
}

TEST_F(BuildTest, WhatTheManifestLacksIsToldBeforeAnythingIsBuilt) {
  write("hello/function.yaml", manifest("Hello", "build/hello"));
  EXPECT_EQ(run({"deploy", project_}).code, kRefused);
  fs::remove(project_ + "/function.yaml");
  const Printed none = run({"deploy", project_});
  EXPECT_EQ(none.code, kRefused);
  EXPECT_THAT(none.err,
              HasSubstr(project_ + ": is a folder without a manifest, function.yaml; `subito new "
                                   "NAME` writes a folder with one\n"));
  EXPECT_THAT(commands_, IsEmpty());
}

TEST_F(BuildTest, SaysWhichManifestItTookWhenItIsNotFunctionYaml) {
  fs::rename(project_ + "/function.yaml", project_ + "/app.yaml");
  EXPECT_THAT(run({"deploy", project_}).out,
              StartsWith("manifest: " + project_ + "/app.yaml\nbuilding "));
  write("hello/function.yaml", manifest("other", "build/hello"));
  EXPECT_THAT(run({"deploy", project_}).out,
              StartsWith("manifests: " + project_ + "/app.yaml, " + project_ + "/function.yaml\n"));
}

TEST_F(BuildTest, OfABinaryThatIsNotThereTheOthersAreNamed) {
  write("hello/function.yaml", manifest("hello", "build/helo"));
  EXPECT_THAT(run({"deploy", project_}).err,
              HasSubstr("No such file or directory; executable files there: hello\n"));
  for (const char* name : {"a", "b", "c"})
    fs::copy_file(project_ + "/build/hello", project_ + "/build/" + name);
  EXPECT_THAT(run({"deploy", project_}).err, HasSubstr("executable files there: a, b, c\n"));
}

TEST_F(BuildTest, TakesTheSdkThatCameWithTheProgram) {
  files_.insert("/opt/subito/lib/cmake/Subito/SubitoConfig.cmake");
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
  EXPECT_THAT(commands_.at(0), testing::Contains("-DSubito_DIR=/opt/subito/lib/cmake/Subito"));
}

TEST_F(BuildTest, GoesOnWithWhatAFailedConfigurationChose) {
  fs::create_directory(project_ + "/build");
  write_build("CMakeCache.txt", "CMAKE_GENERATOR:INTERNAL=Unix Makefiles");
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
  EXPECT_EQ(commands_.at(0)[1], "-S");
  EXPECT_THAT(commands_.at(0), Not(testing::Contains("Ninja")));
}

TEST_F(BuildTest, AFailureShowsWhatTheCompilerSaidAndSendsNothing) {
  program_ = [](const std::vector<std::string>&) {
    return ProgramEnd{2, "hello.cc:3: error: \x1b[1mexpected ';'\x1b[2J\n"};
  };
  const Printed output = run({"deploy", project_});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_EQ(output.err, "hello.cc:3: error: expected ';'\\x1b[2J\nsubito: build " + project_ +
                            ": cmake ended with status 2; what it said is above\n");
  EXPECT_FALSE(plane_.functions.contains("hello"));
}

TEST_F(BuildTest, ShowsTheWarningsOfABuildThatWentWell) {
  program_ = [this](const std::vector<std::string>& command) {
    ProgramEnd end = cmake(command);
    end.output = command[1] == "-S" ? "CMake warning: not ours\n"
                                    : "[1/2] Building\nhello.cc: In function 'f':\n"
                                      "hello.cc:3: warning: unused 'x'\n[2/2] Linking\n";
    return end;
  };
  const Printed output = run({"deploy", project_});
  EXPECT_EQ(output.code, kOk);
  EXPECT_EQ(output.err, "hello.cc: In function 'f':\nhello.cc:3: warning: unused 'x'\n");
}

TEST_F(BuildTest, WhatTheCompilerSaidHasItsColoursOnATerminalAlone) {
  program_ = [](const std::vector<std::string>&) {
    return ProgramEnd{2, "\x1b[1mwrong\x1b[m\x1b[2J\nhalf"};
  };
  EXPECT_THAT(run({"deploy", project_}).err, StartsWith("wrong\\x1b[2J\nhalf\nsubito: "));
  EXPECT_THAT(run({"deploy", project_, "-v"}).err, StartsWith("wrong\\x1b[2J\nhalf"));
  terminal_ = true;
  const std::string shown = "\r\x1b[K\x1b[1mwrong\x1b[m\\x1b[2J\nhalf";
  EXPECT_THAT(run({"deploy", project_}).err, HasSubstr(shown + "\x1b[0m\n"));
  EXPECT_THAT(run({"deploy", project_, "-v"}).err, HasSubstr(shown));
  variables_["NO_COLOR"] = "1";
  EXPECT_THAT(run({"deploy", project_}).err, HasSubstr("\x1b[Kwrong\\x1b[2J\nhalf\n"));
}

TEST_F(BuildTest, OfALongTaleTheEndIsShownAndThatItIsTheEnd) {
  program_ = [](const std::vector<std::string>&) {
    return ProgramEnd{2, "half a line\nerror: the last of many\n", 100'000};
  };
  EXPECT_THAT(run({"deploy", project_}).err,
              StartsWith("... of what it said the last 24 B; all of it: -v\n"
                         "error: the last of many\nsubito: build "));
}

TEST_F(BuildTest, VerboseShowsItInAnyCase) {
  EXPECT_EQ(run({"deploy", project_, "-v"}).err, "compiling\ncompiling\n");
  program_ = [](const std::vector<std::string>&) { return ProgramEnd{1, "wrong\n"}; };
  EXPECT_THAT(run({"deploy", project_, "-v"}).err, StartsWith("wrong\nsubito: build"));
}

TEST_F(BuildTest, NamesEveryToolThatIsMissingAndItsPackage) {
  files_.clear();
  Printed output = run({"deploy", project_});
  EXPECT_EQ(output.code, kFailed);
  EXPECT_EQ(output.err, "subito: build " + project_ +
                            ": not found on PATH: cmake, a C++ compiler, ninja or make; install "
                            "with: apt-get install cmake g++ ninja-build\n");
  EXPECT_THAT(commands_, IsEmpty());
  files_ = {"/bin/cmake", "/bin/make"};
  EXPECT_THAT(run({"deploy", project_}).err, HasSubstr("PATH: a C++ compiler; install with: "));
  variables_["CXX"] = "/opt/compiler";
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
  EXPECT_THAT(commands_.at(0), Not(testing::Contains("Ninja")));
}

TEST_F(BuildTest, WithoutCMakeListsItIsAFolderOfManifests) {
  fs::remove(project_ + "/CMakeLists.txt");
  write("hello/function.yaml", manifest("hello", ELF_SAMPLES "/elf_sample_static"));
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
  EXPECT_THAT(commands_, IsEmpty());
}

TEST_F(BuildTest, YamlFilesThatTheBuildMadeAreNoManifests) {
  fs::create_directory(project_ + "/build");
  write_build("other.yaml", "no manifest");
  const Printed output = run({"deploy", project_});
  EXPECT_EQ(output.code, kOk) << output.err;
}

TEST_F(BuildTest, SaysWhatIsWrongWithTheFolder) {
  Printed output = run({"deploy", folder_ + "/hallo"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err,
              HasSubstr("hallo: there is no such folder; `subito new NAME` writes one\n"));
  output = run({"deploy", project_ + "/function.yaml"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err, HasSubstr("is a file; say -f FILE for a manifest"));
  output = run({"deploy", project_, "--timeout", "5s"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err, HasSubstr("a folder's manifest says that"));
  output = run({"deploy", "hello-that-is-no-folder-here"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_THAT(output.err, HasSubstr("deploy hello-that-is-no-folder-here: there is no such folder; "
                                    "say FOLDER, -f FILE, or NAME --binary PATH"));
  EXPECT_THAT(commands_, IsEmpty());
}

TEST_F(BuildTest, AFolderCopiedWithItsBuildIsConfiguredAnew) {
  fs::create_directory(project_ + "/build");
  write_build("CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n");
  write_build("build.ninja", "");
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
  EXPECT_EQ(commands_.at(0)[1], "-S");
}

TEST_F(BuildTest, RootBuildsAsTheOwnerOfTheFolderWithNothingOfItsOwn) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIPPED: only root may give a folder away";
  ASSERT_EQ(::chown(project_.c_str(), 65534, 0), 0);
  variables_["SECRET"] = "root's";
  program_ = [this](const std::vector<std::string>& command) {
    const auto begin = std::find(command.begin(), command.end(), "cmake");
    return cmake({begin, command.end()});
  };
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
  ASSERT_EQ(commands_.size(), 2U);
  for (const auto& command : commands_) {
    const std::vector<std::string> before(command.begin(), command.begin() + 10);
    EXPECT_THAT(before,
                ElementsAre("setsid", "--wait", "setpriv", "--reuid=65534", "--regid=65534",
                            "--clear-groups", "--no-new-privs", "--pdeathsig=TERM", "env", "-i"));
    EXPECT_THAT(command, testing::Contains("PATH=/nowhere:/bin"));
    EXPECT_THAT(command, Not(testing::Contains(HasSubstr("SECRET"))));
  }
}

TEST_F(BuildTest, RootRunsNothingThatOthersCanChange) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIPPED: only root is asked";
  for (const std::string& path : {project_, project_ + "/CMakeLists.txt"}) {
    fs::permissions(path, fs::perms::group_write, fs::perm_options::add);
    const Printed refused = run({"deploy", project_});
    EXPECT_EQ(refused.code, kFailed);
    EXPECT_THAT(refused.err, HasSubstr("root would run what others can write: " + path + ";"));
    fs::permissions(path, fs::perms::group_write, fs::perm_options::remove);
  }
  EXPECT_THAT(commands_, IsEmpty());
  EXPECT_EQ(run({"deploy", project_}).code, kOk);
}

TEST_F(BuildTest, ALinkToAFolderIsJudgedByWhatItLeadsTo) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIPPED: only root may give a folder away";
  ASSERT_EQ(::chown(project_.c_str(), 65534, 65534), 0);
  fs::create_directory_symlink(project_, folder_ + "/link");
  program_ = [this](const std::vector<std::string>& command) {
    const auto begin = std::find(command.begin(), command.end(), "cmake");
    return cmake({begin, command.end()});
  };
  EXPECT_EQ(run({"deploy", folder_ + "/link"}).code, kOk);
  EXPECT_THAT(commands_.at(0), testing::Contains(project_));
  EXPECT_EQ(commands_.at(0)[0], "setsid");
}

}  // namespace
}  // namespace subito::cli
