#include "deploy/cli/build.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <streambuf>
#include <thread>
#include <vector>

#include "deploy/cli/words.h"

namespace subito::cli {

namespace {

namespace fs = std::filesystem;
using Command = std::vector<std::string>;

constexpr gid_t kNoGroup = 65534;
// Of root's variables, what a build of another user gets.
constexpr const char* kPassedOn[] = {"PATH",
                                     "LANG",
                                     "LC_ALL",
                                     "TERM",
                                     "CC",
                                     "CXX",
                                     "CFLAGS",
                                     "CXXFLAGS",
                                     "LDFLAGS",
                                     "CMAKE_PREFIX_PATH",
                                     "CMAKE_GENERATOR"};

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

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Whether a cache is of this very folder, and not of one that it was copied from.
bool is_of(const fs::path& cache, const std::string& folder) {
  std::ifstream file(cache);
  const std::string wanted = "CMAKE_HOME_DIRECTORY:INTERNAL=" + folder;
  for (std::string line; std::getline(file, line);) {
    if (line == wanted) return true;
  }
  return false;
}

// The first of the folder, its CMakeLists.txt and the folders above it that somebody else than root
// can change; empty if there is none.
std::string changeable_by_others(const fs::path& folder) {
  for (fs::path path = folder / "CMakeLists.txt"; !path.empty(); path = path.parent_path()) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return path.string();
    const bool shared = (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info.st_mode & S_ISVTX) == 0;
    if (info.st_uid != 0 || shared) return path.string();
    if (path == path.parent_path()) break;
  }
  return "";
}

// What is written to it goes on as it may be shown, a line at a time: a piece may end within a
// character or a colour.
class ShownLines final : public std::streambuf {
 public:
  ShownLines(std::ostream& out, bool colours) : out_(out), colours_(colours) {}
  ~ShownLines() override { pass_on(); }
  ShownLines(const ShownLines&) = delete;
  ShownLines& operator=(const ShownLines&) = delete;

 private:
  static constexpr std::size_t kLineBytesMax = 4096;

  int overflow(int c) override {
    if (c == traits_type::eof()) return 0;
    line_ += static_cast<char>(c);
    if (c == '\n' || line_.size() == kLineBytesMax) pass_on();
    return c;
  }
  void pass_on() {
    out_ << compiler_words(line_, colours_) << std::flush;
    line_.clear();
  }

  std::ostream& out_;
  const bool colours_;
  std::string line_;
};

class Build {
 public:
  // `folder` is free of links: names are looked up once, before it is asked whose it is.
  Build(const Environment& environment, const std::string& folder, bool verbose)
      : environment_(environment),
        folder_(folder),
        build_((fs::path(folder) / "build").string()),
        verbose_(verbose) {}

  Outcome<void> run() {
    const fs::path build(build_);
    const bool configured = is_of(build / "CMakeCache.txt", folder_) &&
                            (is_there(build / "build.ninja") || is_there(build / "Makefile"));
    if (auto owner = find_owner(); !owner) return owner;
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
    if (on_path(environment_, "ninja") && !is_there(fs::path(build_) / "CMakeCache.txt"))
      command.insert(command.end(), {"-G", "Ninja"});
    // The SDK that came with this program, wherever it was unpacked.
    const std::string package = environment_.prefix + "/lib/cmake/Subito";
    if (environment_.exists(package + "/SubitoConfig.cmake"))
      command.push_back("-DSubito_DIR=" + package);
    return command;
  }

  Outcome<void> run(const Command& command, const std::string& name) const {
    Command whole = as_owner_;
    whole.insert(whole.end(), command.begin(), command.end());
    const auto end = run_shown(whole);
    if (!end) return fail(end.error().message);
    if (end->status == 0) return {};
    if (!verbose_) show(*end);
    return fail(name + " ended with status " + std::to_string(end->status) +
                "; what it said is above");
  }

  bool colours() const {
    const auto no_color = environment_.variable("NO_COLOR");
    return environment_.err_is_terminal && !(no_color && !no_color->empty());
  }

  Result<ProgramEnd> run_shown(const Command& command) const {
    if (!verbose_) return environment_.run(command, nullptr);
    clear_progress();
    ShownLines lines(environment_.err, colours());
    std::ostream shown(&lines);
    return environment_.run(command, &shown);
  }

  // What `deploy` wrote there, "building ...".
  void clear_progress() const {
    if (environment_.err_is_terminal) environment_.err << "\r\x1b[K";
  }

  void show(const ProgramEnd& end) const {
    clear_progress();
    std::string_view said = end.output;
    if (end.cut_bytes > 0) {
      said.remove_prefix(std::min(said.find('\n') + 1, said.size()));  // half a line
      environment_.err << "... of what it said the last " << size_words(said.size())
                       << "; all of it: -v\n";
    }
    environment_.err << compiler_words(said, colours()) << (colours() ? "\x1b[0m" : "");
    if (!said.ends_with('\n')) environment_.err << '\n';
  }

  // Run by root, the owner's code runs with the owner's rights: without root's groups, variables
  // and terminal. What root itself shall run, nobody else may be able to change.
  Outcome<void> find_owner() {
    if (::geteuid() != 0) return {};
    struct stat info {};
    if (::stat(folder_.c_str(), &info) != 0) return fail(errno_error("look at it").message);
    if (info.st_uid == 0) {
      const std::string open = changeable_by_others(folder_);
      if (open.empty()) return {};
      return fail(
          "root would run what others can write: " + open +
          "; give the folder to the one who writes it (chown), and it is built as that user");
    }
    const passwd* owner = ::getpwuid(info.st_uid);
    const gid_t group = owner != nullptr ? owner->pw_gid : kNoGroup;
    as_owner_ = {"setsid",
                 "--wait",
                 "setpriv",
                 "--reuid=" + std::to_string(info.st_uid),
                 "--regid=" + std::to_string(group),
                 "--clear-groups",
                 "--no-new-privs",
                 "--pdeathsig=TERM",
                 "env",
                 "-i",
                 std::string("HOME=") + (owner != nullptr ? owner->pw_dir : "/")};
    for (const char* name : kPassedOn) {
      if (const auto value = environment_.variable(name)) {
        as_owner_.push_back(std::string(name) + "=" + *value);
      }
    }
    return {};
  }

  tl::unexpected<Failure> fail(const std::string& reason) const {
    return tl::unexpected<Failure>(Failure{kFailed, "build " + folder_ + ": " + reason, {}});
  }

  const Environment& environment_;
  const std::string folder_;
  const std::string build_;
  const bool verbose_;
  Command as_owner_;  // what goes before each command
};

}  // namespace

bool has_build(const std::string& folder) {
  return is_there(fs::path(folder) / "CMakeLists.txt");
}

Outcome<void> build_folder(const Environment& environment, const std::string& folder,
                           bool verbose) {
  std::error_code error;
  const fs::path there = fs::canonical(folder, error);
  if (error) {
    return tl::unexpected<Failure>(
        Failure{kFailed, "build " + folder + ": " + error.message(), {}});
  }
  return Build(environment, there.string(), verbose).run();
}

}  // namespace subito::cli
