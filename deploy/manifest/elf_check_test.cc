#include "deploy/manifest/elf_check.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

namespace subito::manifest {
namespace {

using testing::HasSubstr;

// ELF_SAMPLES: where the build put static, dynamic, plain (no note) and newer (version 99).
std::string sample(const std::string& name) {
  std::ifstream file(ELF_SAMPLES "/elf_sample_" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string reason(const std::string& file) {
  const auto facts = check_elf(file);
  return facts ? "accepted" : facts.error().message;
}

template <typename T>
std::string with(std::string file, std::size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
  return file;
}

TEST(ElfCheck, AcceptsAStaticBinaryWithTheNote) {
  const auto facts = check_elf(sample("static"));
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->protocol_version, 1U);
  EXPECT_TRUE(check_elf_file(ELF_SAMPLES "/elf_sample_static", "x"));
}

TEST(ElfCheck, RefusesEachWithReasonAndRemedy) {
  EXPECT_EQ(reason(sample("dynamic")),
            "is linked dynamically (needs libc.so.6): link with -static, see docs/functions.md");
  EXPECT_THAT(reason(sample("plain")), HasSubstr("no Subito note): link it with the SDK"));
  EXPECT_THAT(reason(sample("newer")), HasSubstr("speaks version 99 of the pod protocol"));
  EXPECT_THAT(reason("#!/bin/sh\n"), HasSubstr("is a script"));
  EXPECT_THAT(reason(""), HasSubstr("is empty"));
  EXPECT_THAT(reason("MZ and so on, a binary of elsewhere"), HasSubstr("is not an ELF binary"));
  const std::string good = sample("static");
  EXPECT_THAT(reason(with<char>(good, EI_CLASS, ELFCLASS32)), HasSubstr("32 bit"));
  EXPECT_THAT(reason(with<char>(good, EI_DATA, ELFDATA2MSB)), HasSubstr("big-endian"));
  EXPECT_THAT(reason(with<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_machine), EM_AARCH64)),
              HasSubstr("is built for arm64"));
  EXPECT_THAT(reason(with<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_type), ET_REL)),
              HasSubstr("not an executable"));
  EXPECT_THAT(reason(with<Elf64_Half>(good, offsetof(Elf64_Ehdr, e_phnum), 0)),
              HasSubstr("no usable program headers"));
  EXPECT_THAT(reason(with<Elf64_Off>(good, offsetof(Elf64_Ehdr, e_phoff), ~0ULL)),
              HasSubstr("cut off"));
}

TEST(ElfCheck, NamesTheFileThatCannotBeRead) {
  EXPECT_EQ(check_elf_file("/nonexistent/x", "./x").error().message,
            "check ./x: No such file or directory");
  EXPECT_EQ(check_elf_file("/proc", "y").error().message, "check y: not a file");
}

TEST(ElfCheck, RefusesAFileCutOffAnywhereThatMatters) {
  const std::string good = sample("static");
  for (std::size_t size = 0; size < good.size(); size += size < 4096 ? 1 : 9973) {
    const std::string part = good.substr(0, size);  // its own allocation: sanitizers see overreads
    const auto facts = check_elf(part);
    if (size < sizeof(Elf64_Ehdr)) {
      EXPECT_FALSE(facts) << size;
    }
    // Behind the last segment only symbols and section headers follow, which nobody loads.
    if (size < good.size() / 2) {
      EXPECT_FALSE(facts) << size;
    }
  }
}

TEST(ElfCheck, BelievesNoByteOfTheHeaders) {
  for (const char* name : {"static", "dynamic"}) {
    const std::string good = sample(name);
    std::mt19937 random(7);
    for (int round = 0; round < 3000; ++round) {
      std::string bad = good.substr(0, 8192);
      for (int i = 0; i < 4; ++i) bad[random() % 1024] = static_cast<char>(random());
      (void)check_elf(bad);
    }
  }
}

}  // namespace
}  // namespace subito::manifest
