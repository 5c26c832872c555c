// Sandboxes that begin as the image of a template: what they keep of before, and what becomes of
// images that are none. What they may do is in escape_test.cc, with all other pods.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sstream>

#include "runtime/protocol/image.h"
#include "runtime/sandbox/kernel_areas.h"
#include "runtime/sandbox/sandbox_test_util.h"

namespace subito::sandbox::testing {
namespace {

using protocol::ImageHeader;
using ::testing::HasSubstr;
using ::testing::Not;

class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest() : harness_(test_config()) { harness_.set_artefact(SUBITO_ESCAPE_POD_PATH); }

  static ImageHeader header_of(const UniqueFd& image) {
    ImageHeader header;
    EXPECT_EQ(::pread(image.get(), &header, sizeof header, 0), ssize_t{sizeof header});
    return header;
  }

  // The kernel says [heap] of all that lies where the launcher's was: by chance of the image's own.
  static bool heap_is_of_image(const std::string& maps, const ImageHeader& header) {
    std::istringstream lines(maps);
    for (std::string line; std::getline(lines, line);) {
      if (!line.ends_with("[heap]")) continue;
      const std::uint64_t begin = std::stoull(line, nullptr, 16);
      const std::uint64_t end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
      if (std::none_of(header.areas, header.areas + header.area_count,
                       [&](const auto& area) { return area.begin <= begin && end <= area.end; })) {
        return false;
      }
    }
    return true;
  }

  // The same image with another header.
  static UniqueFd with_header(const UniqueFd& image, const ImageHeader& header) {
    UniqueFd changed(::memfd_create("changed", MFD_CLOEXEC));
    char page[4096];
    for (off_t at = 0; ::pread(image.get(), page, sizeof page, at) > 0 && at < 2 << 20;
         at += sizeof page) {
      EXPECT_EQ(::pwrite(changed.get(), page, sizeof page, at), ssize_t{sizeof page});
    }
    EXPECT_EQ(::pwrite(changed.get(), &header, sizeof header, 0), ssize_t{sizeof header});
    return changed;
  }

  // Its status is that of the escape pod that was given no attempt.
  void expect_executed(const UniqueFd& image, const char* what) {
    const Harness::Ended ended = harness_.run_image(image.get());
    ASSERT_TRUE(ended.exited.has_value()) << what;
    EXPECT_EQ(ended.exited->wait_status, 2 << 8) << what;
  }

  Harness harness_;
};

TEST_F(RestoreTest, NothingIsLeftOfTheLaunchersMemory) {
  const UniqueFd image = harness_.make_image({"escape", "template", "maps"});
  const std::string maps = harness_.run_image(image.get()).output;
  EXPECT_THAT(maps, HasSubstr("escape-pod"));
  EXPECT_THAT(maps, HasSubstr("[vdso]"));
  EXPECT_THAT(maps, Not(HasSubstr("launcher")));
  EXPECT_THAT(maps, Not(HasSubstr("/dev/zero"))) << "the slots that all sandboxes share";
  // No more mappings than the image has areas, and those that the kernel has put there.
  const ImageHeader header = header_of(image);
  EXPECT_TRUE(heap_is_of_image(maps, header)) << maps;
  EXPECT_LE(std::count(maps.begin(), maps.end(), '\n'),
            static_cast<long>(header.area_count + header.kernel_area_count) * 2);
}

// About one process in 2,000 has its stack where the launcher has them, and keeps its own.
bool has_memory_in(const ImageHeader& header, const KernelAreas& areas) {
  return std::any_of(header.areas, header.areas + header.area_count, [&](const auto& area) {
    return std::any_of(areas.areas, areas.areas + areas.count, [&](const auto& kernels) {
      return area.begin < kernels.end && kernels.begin < area.end;
    });
  });
}

TEST_F(RestoreTest, TheKernelsMappingsStayWhereTheLauncherHasThem) {
  const auto areas = find_kernel_areas(harness_.client().launcher_pid());
  ASSERT_TRUE(areas.has_value());
  ImageHeader header;
  do {
    header = header_of(harness_.make_image({"escape", "template", "maps"}));
  } while (has_memory_in(header, *areas));
  ASSERT_EQ(header.kernel_area_count, areas->count);
  for (std::uint32_t i = 0; i < areas->count; ++i) {
    EXPECT_EQ(header.kernel_areas[i].begin, areas->areas[i].begin) << i;
    EXPECT_EQ(header.kernel_areas[i].end, areas->areas[i].end) << i;
  }
}

TEST_F(RestoreTest, OneThatWasNotToldOfThemHasThemMoved) {
  const UniqueFd image = harness_.make_image({"escape", "template", "maps"}, 1 << 20, false);
  std::ostringstream vdso;
  const ImageHeader header = header_of(image);
  vdso << std::hex << header.kernel_areas[header.kernel_area_count - 1].begin;
  EXPECT_THAT(harness_.run_image(image.get()).output, HasSubstr(vdso.str() + "-"));
}

TEST_F(RestoreTest, TheClockIsReadWhetherOrNotTheyHadToBeMoved) {
  for (const bool told : {true, false}) {
    const UniqueFd image = harness_.make_image({"escape", "template", "clock"}, 1 << 20, told);
    EXPECT_EQ(harness_.run_image(image.get()).output, "clock right\n") << told;
  }
  EXPECT_EQ(harness_.run({"escape", "clock"}).output, "clock right\n");
}

TEST_F(RestoreTest, NoCoreIsDumpedOfIt) {
  const UniqueFd image = harness_.make_image({"escape", "template", "get-dumpable"});
  EXPECT_EQ(harness_.run_image(image.get()).output, "dumpable 0\n");
  // The binary of this test is one that others may read: else the kernel would see to it.
  EXPECT_EQ(harness_.run({"escape", "get-dumpable"}).output, "dumpable 1\n");
}

TEST_F(RestoreTest, MemoryThatAForkWouldNotCopyIsZero) {
  const UniqueFd image = harness_.make_image({"escape", "template-with", "secret", "read-secret"});
  EXPECT_EQ(harness_.run_image(image.get()).output, "secret \"\"\n");
}

TEST_F(RestoreTest, PodsOfOneImageShareNoPage) {
  const UniqueFd image = harness_.make_image({"escape", "template", "use-tmp"});
  for (int pod = 0; pod < 2; ++pod) {
    EXPECT_EQ(harness_.run_image(image.get()).output, "allowed: written\n") << "and its own /tmp";
  }
}

TEST_F(RestoreTest, TheImageCannotBeChangedOnceItIsSealed) {
  const UniqueFd image = harness_.make_image({"escape", "template", "identity"});
  EXPECT_EQ(::pwrite(image.get(), "x", 1, 0), -1);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, image.get(), 0), MAP_FAILED);
}

TEST_F(RestoreTest, WhatIsNoImageIsExecutedInItsPlace) {
  const UniqueFd blank(::memfd_create("blank", MFD_CLOEXEC));
  expect_executed(blank, "empty");
  const UniqueFd image = harness_.make_image({"escape", "template", "identity"});
  const ImageHeader good = header_of(image);
  ASSERT_EQ(good.state, protocol::ImageState::kReady) << good.reason;
  const auto changed = [&](const char* what, const auto& change) {
    ImageHeader header = good;
    change(header);
    expect_executed(with_header(image, header), what);
  };
  changed("magic", [](ImageHeader& header) { header.magic = 1; });
  changed("refused", [](ImageHeader& header) { header.state = protocol::ImageState::kRefused; });
  changed("too many areas", [](ImageHeader& header) { header.area_count = 1 << 20; });
  changed("too many of the kernel's", [](ImageHeader& header) { header.kernel_area_count = 99; });
  changed("end before begin",
          [](ImageHeader& header) { std::swap(header.areas[0].begin, header.areas[0].end); });
  changed("part of a page", [](ImageHeader& header) { header.areas[0].begin += 8; });
  changed("the kernel's half",
          [](ImageHeader& header) { header.areas[0].end = 0xffff'8000'0000'0000; });
  changed("unknown source",
          [](ImageHeader& header) { header.areas[0].source = protocol::ImageSource{77}; });
  changed("another kernel's vdso", [](ImageHeader& header) { header.kernel_areas[0].end += 4096; });
  changed("a vdso where the launcher is", [](ImageHeader& header) {
    const std::uint64_t size = header.kernel_areas[0].end - header.kernel_areas[0].begin;
    header.kernel_areas[0] = {0x40'0000, 0x40'0000 + size};
  });
}

TEST_F(RestoreTest, AnImageThatLiesHarmsItsOwnPodAlone) {
  const UniqueFd image = harness_.make_image({"escape", "template", "identity"});
  ImageHeader header = header_of(image);
  header.resume = 0x10;
  const Harness::Ended nowhere = harness_.run_image(with_header(image, header).get());
  ASSERT_TRUE(nowhere.exited.has_value());
  // It has no handler, and as the init of its namespace it dies of faults all the same.
  EXPECT_EQ(WTERMSIG(nowhere.exited->wait_status), SIGSEGV);
  header = header_of(image);
  header.areas[0].offset = std::uint64_t{1} << 62;
  header.areas[0].source = protocol::ImageSource::kImage;
  (void)harness_.run_image(with_header(image, header).get());
  EXPECT_EQ(harness_.run_image(image.get()).output, "pid 1 uid 1000 gid 1000 groups 0\n");
}

TEST_F(RestoreTest, WhatACopyWouldLackIsRefused) {
  const auto reason = [&](const char* before) {
    const UniqueFd image = harness_.make_image({"escape", "template-with", before, "identity"});
    const ImageHeader header = header_of(image);
    EXPECT_EQ(header.state, protocol::ImageState::kRefused) << before;
    return std::string(header.reason);
  };
  EXPECT_THAT(reason("file"), HasSubstr("it has left /tmp/.left before serve()"));
  EXPECT_THAT(reason("folder"), HasSubstr("its working folder is not / before serve()"));
  EXPECT_THAT(reason("timer"), HasSubstr("it has a timer running before serve()"));
}

TEST_F(RestoreTest, ImagesLargerThanTheirFileAreRefused) {
  const UniqueFd image = harness_.make_image({"escape", "template", "identity"}, 32 << 10);
  const ImageHeader header = header_of(image);
  EXPECT_EQ(header.state, protocol::ImageState::kRefused);
  EXPECT_THAT(header.reason, HasSubstr("more memory"));
}

}  // namespace
}  // namespace subito::sandbox::testing
