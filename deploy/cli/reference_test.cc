// References, and completion as bash runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string output_of(const std::string& command) {
  std::string out;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot run it";
  std::array<char, 4096> piece{};
  for (std::size_t n; (n = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
    out.append(piece.data(), n);
  ::pclose(pipe);
  return out;
}

class CompletionTest : public CliTest {
 protected:
  // What bash offers behind these words, the last of which is being typed.
  std::string offered(const std::string& words) {
    if (!std::filesystem::exists("/bin/bash")) return "no bash";
    const std::string script = write("completion", run({"reference", "bash"}).out);
    // In place of the program: answers as it does with a node of two functions.
    const std::string program = write("subito",
                                      "#!/bin/sh\necho \"$@\" | grep -q 'reference "
                                      "functions' && printf 'catalogue\\nstock\\n'\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return output_of("/bin/bash -uc 'source " + script + "; COMP_WORDS=(" + program + " " + words +
                     "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _subito; "
                     "echo -n \"${COMPREPLY[@]-}\"' 2>&1");
  }
};

TEST_F(CompletionTest, OffersCommandsOptionsValuesAndNamesOfTheNode) {
  EXPECT_EQ(offered("de"), "deploy dev describe dead-letters debug delete");
  EXPECT_EQ(offered("help expl"), "explain");
  EXPECT_EQ(offered("get po"), "pods");
  EXPECT_EQ(offered("get pods s"), "stock");
  EXPECT_EQ(offered("get pods -o wide cat"), "catalogue") << "a value is no word of its own";
  EXPECT_EQ(offered("logs --fo"), "--follow");
  EXPECT_EQ(offered("get pods -o w"), "wide");
  EXPECT_EQ(offered("up --log-level de"), "debug");
  EXPECT_EQ(offered("--socket x scale st"), "stock");
  EXPECT_EQ(offered("deploy -f " + folder_ + "/compl"), folder_ + "/completion");
  EXPECT_EQ(offered("invoke elephant"), "");
  std::filesystem::create_directory(folder_ + "/comets");
  for (const std::string command : {"new", "deploy", "dev"})
    EXPECT_EQ(offered(command + " " + folder_ + "/com"), folder_ + "/comets") << "no file, no name";
}

TEST_F(CliTest, NamesForCompletionComeFromTheNodeOrNotAtAll) {
  EXPECT_EQ(run({"reference", "functions"}).out, "catalogue\nstock\n");
  EXPECT_EQ(run({"reference", "pods"}).out, "catalogue-7\ncatalogue-8\n");
  EXPECT_THAT(run({"reference", "fields"}).out, HasSubstr("\nspec.scaling.idle\n"));
  no_node_ = Error{ErrorCode::kUnavailable, "connect to x: No such file or directory", 2};
  const Printed silent = run({"reference", "pods"});
  EXPECT_EQ(silent.out + silent.err, "");
  EXPECT_EQ(silent.code, kOk);
}

TEST_F(CliTest, ReferencesTellEveryCommandAndExitCode) {
  const std::string page = run({"reference", "cli"}).out, man = run({"reference", "man"}).out;
  for (const char* command : {"up", "deploy", "invoke", "get", "describe", "logs", "explain",
                              "scale", "delete", "doctor", "bench", "simulate", "version"}) {
    EXPECT_THAT(page, HasSubstr("\n## subito " + std::string(command) + "\n"));
    EXPECT_THAT(man, HasSubstr("\n.SS subito " + std::string(command) + " "));
  }
  EXPECT_THAT(page, HasSubstr("\nsubito get KIND [NAME] [OPTIONS]\n"));
  EXPECT_THAT(page, HasSubstr("| `--tail 0..10000` |"));
  EXPECT_THAT(page, HasSubstr("| `-o, --output table\\|json\\|wide` |"));
  EXPECT_THAT(page, HasSubstr("| 5 | manifest, binary or trace refused |"));
  EXPECT_THAT(page, Not(HasSubstr("## subito reference")));
  EXPECT_THAT(man, HasSubstr("\n.TP\n\\fB\\-f, \\-\\-follow\\fR\n"));
  EXPECT_EQ(run({"--help"}).out.find("reference"), std::string::npos);
}

TEST_F(CliTest, TheManualPageIsOneThatManReads) {
  if (!std::filesystem::exists("/usr/bin/groff")) GTEST_SKIP() << "groff is not installed";
  const std::string page = write("subito.1", run({"reference", "man"}).out);
  EXPECT_EQ(output_of("groff -man -ww -Tutf8 -z " + page + " 2>&1"), "");
}

TEST_F(CliTest, TheReferenceOfTheManifestTellsEveryField) {
  const std::string page = run({"reference", "manifest"}).out;
  EXPECT_THAT(page, HasSubstr("\n## spec.scaling\n"));
  EXPECT_THAT(page,
              HasSubstr("\n| `idle` | duration | `30s` | 0s to 24h | How long a pod may be "));
  EXPECT_THAT(page, HasSubstr("\n## spec.bindings.redis\n"));
  EXPECT_EQ(run({"reference", "manifset"}).code, kUsage);
}

}  // namespace
}  // namespace subito::cli
