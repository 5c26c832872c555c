#include "deploy/cli/build.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <thread>
#include <vector>

#include "deploy/cli/words.h"

namespace subito::cli {

namespace {

namespace fs = std::filesystem;
using Command = std::vector<std::string>;

bool on_path(const Environment& environment, const std::string& program) {
  const std::string path = environment.variable("PATH").value_or("/usr/bin:/bin");
  for (std::size_t begin = 0, end; begin <= path.size(); begin = end + 1) {
    end = std::min(path.find(':', begin), path.size());
    if (environment.exists(path.substr(begin, end - begin) + "/" + program)) return true;
  }
  return false;
}

bool any_on_path(const Environment& environment, const std::vector<std::string>& programs) {
  return std::any_of(programs.begin(), programs.end(),
                     [&](const std::string& program) { return on_path(environment, program); });
}

class Build {
 public:
  Build(const Environment& environment, const std::string& folder, bool verbose)
      : environment_(environment),
        folder_(folder),
        build_((fs::path(folder) / "build").string()),
        verbose_(verbose) {}

  Outcome<void> run() const {
    const bool configured =
        fs::exists(fs::path(build_) / "CMakeCache.txt") &&
        (fs::exists(fs::path(build_) / "build.ninja") || fs::exists(fs::path(build_) / "Makefile"));
    if (auto tools = check_tools(configured); !tools) return tools;
    if (!configured) {
      if (auto done = run(configure_command(), "cmake"); !done) return done;
    }
    const unsigned jobs = std::max(std::thread::hardware_concurrency(), 1U);
    return run({"cmake", "--build", build_, "--parallel", std::to_string(jobs)}, "cmake --build");
  }

 private:
  // All that is missing at once.
  Outcome<void> check_tools(bool configured) const {
    std::string what, packages;
    const auto missing = [&](const char* tool, const char* package) {
      what += std::string(what.empty() ? "" : ", ") + tool;
      packages += std::string(" ") + package;
    };
    if (!on_path(environment_, "cmake")) missing("cmake", "cmake");
    if (!configured) {
      const auto chosen = environment_.variable("CXX");
      if ((!chosen || chosen->empty()) && !any_on_path(environment_, {"c++", "g++", "clang++"}))
        missing("a C++ compiler", "g++");
      if (!any_on_path(environment_, {"ninja", "make"})) missing("ninja or make", "ninja-build");
    }
    if (what.empty()) return {};
    return fail("not found on PATH: " + what + "; install with: apt-get install" + packages);
  }

  Command configure_command() const {
    // A test would be compiled at every save, and is not what is deployed.
    Command command = {
        "cmake", "-S", folder_, "-B", build_, "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF"};
    // What was begun with another generator goes on with that.
    if (on_path(environment_, "ninja") && !fs::exists(fs::path(build_) / "CMakeCache.txt"))
      command.insert(command.end(), {"-G", "Ninja"});
    // The SDK that came with this program, wherever it was unpacked.
    const std::string package = environment_.prefix + "/lib/cmake/Subito";
    if (environment_.exists(package + "/SubitoConfig.cmake"))
      command.push_back("-DSubito_DIR=" + package);
    return command;
  }

  Outcome<void> run(const Command& command, const std::string& name) const {
    Command whole = as_owner();
    whole.insert(whole.end(), command.begin(), command.end());
    const auto end = environment_.run(whole, verbose_ ? &environment_.err : nullptr);
    if (!end) return fail(end.error().message);
    if (end->status == 0) return {};
    if (!verbose_) environment_.err << printable(end->output);
    return fail(name + " ended with status " + std::to_string(end->status) +
                "; what it said is above");
  }

  Command as_owner() const {
    struct stat info {};
    if (::geteuid() != 0 || ::stat(folder_.c_str(), &info) != 0 || info.st_uid == 0) return {};
    return {"setpriv", "--reuid=" + std::to_string(info.st_uid),
            "--regid=" + std::to_string(info.st_gid), "--clear-groups"};
  }

  tl::unexpected<Failure> fail(const std::string& reason) const {
    return tl::unexpected<Failure>(Failure{kFailed, "build " + folder_ + ": " + reason, {}});
  }

  const Environment& environment_;
  const std::string folder_;
  const std::string build_;
  const bool verbose_;
};

}  // namespace

bool has_build(const std::string& folder) {
  return fs::exists(fs::path(folder) / "CMakeLists.txt");
}

Outcome<void> build_folder(const Environment& environment, const std::string& folder,
                           bool verbose) {
  return Build(environment, folder, verbose).run();
}

}  // namespace subito::cli
