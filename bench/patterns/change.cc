#include "bench/patterns/change.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/node_client.h"
#include "bench/patterns/asking.h"
#include "bench/patterns/memory.h"
#include "bench/private_node.h"
#include "bench/temp_folder.h"

namespace subito::bench {

namespace {

namespace files = std::filesystem;

constexpr std::chrono::seconds kBuildMax{300};
constexpr std::chrono::seconds kAnswerMax{30};
constexpr std::chrono::seconds kInstancesSettle{1};
constexpr const char* kHandlerFile = "functions/catalogue/catalogue.cc";
constexpr const char* kShopServices[] = {"catalogue", "stock", "payment", "checkout", "shopfront"};

double file_mb(const files::path& file) {
  std::error_code error;
  const auto bytes = files::file_size(file, error);
  return error ? 0 : static_cast<double>(bytes) / 1e6;
}

Status build_anew(const Site& site, const char* target) {
  std::error_code error;
  const files::path source = files::path(site.checkout) / kHandlerFile;
  files::last_write_time(source, files::file_time_type::clock::now(), error);
  if (error) return errno_error("touch " + source.string(), error.value());
  ASSIGN_OR_RETURN(
      const Finished built,
      run({"env", {"env", "CCACHE_DISABLE=1", "ninja", "-C", site.build, target}}, kBuildMax));
  if (Interrupt::happened()) return fail(ErrorCode::kCancelled, "build: interrupted");
  if (built.exit_code == 0) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              std::string("build ") + target + ": " + built.output.substr(0, 300));
}

// A build folder of links and copies in which the catalogue differs from the one that is up.
Status make_new_build(const Site& site, const std::string& folder) {
  const files::path from = site.build;
  const files::path to = folder;
  std::error_code error;
  files::create_directories(to / "shop", error);
  files::create_directories(to / "patterns", error);
  files::create_directory_symlink(from / "bin", to / "bin", error);
  for (const auto& [name, changed] : {std::pair{"shop/catalogue", true},
                                      {"shop/catalogue.yaml", false},
                                      {"patterns/monolith", true}}) {
    if (!error) files::copy_file(from / name, to / name, error);
    if (!error && changed) std::ofstream(to / name, std::ios::app) << "changed";
  }
  return error ? Status(errno_error("copy binaries to " + folder, error.value())) : ok();
}

Result<std::string> text_of_file(const files::path& file) {
  std::ifstream stream(file);
  if (!stream) return fail(ErrorCode::kNotFound, "read " + file.string());
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

Status add_functions(const Running& running, std::uint32_t instances) {
  const std::string count = std::to_string(instances);
  RETURN_IF_ERROR(deploy_catalogue(
      running, {{"scaling", "{min: " + count + ", max: " + count + ", idle: 5s}"}}));
  ASSIGN_OR_RETURN(NodeClient api,
                   NodeClient::connect(own_program(), running.state() + "/api.sock"));
  const SteadyTime deadline = std::chrono::steady_clock::now() + NodeClient::kSettleTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    ASSIGN_OR_RETURN(const std::vector<pid_t> pids, api.pod_pids());
    if (pids.size() == instances) return ok();
    if (!rest(std::chrono::milliseconds(50))) {
      return fail(ErrorCode::kCancelled, "wait for pods: interrupted");
    }
  }
  return fail(ErrorCode::kDeadlineExceeded, "wait for " + count + " pods of the catalogue");
}

Result<double> settled_mb(const Running& running) {
  if (!rest(kInstancesSettle)) return fail(ErrorCode::kCancelled, "measure memory: interrupted");
  return static_cast<double>(memory_of(running.roots())) / 1e6;
}

double containers_mb(const Running& running) {
  double sum = 0;
  for (const char* service : kShopServices) {
    const auto said = running.daemon()->docker(
        {"image", "inspect", "-f", "{{.Size}}", std::string("localhost/subito-shop/") + service});
    if (said) sum += std::strtod(said->c_str(), nullptr) / 1e6;
  }
  return sum;
}

}  // namespace

std::string with_spec(const std::string& manifest, const std::string& key,
                      const std::string& value) {
  std::istringstream lines(manifest);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  " + key + ":")) text += line + "\n";
    if (line == "spec:") text += "  " + key + ": " + value + "\n";
  }
  return text;
}

Status deploy_catalogue(const Running& running, const SpecWords& spec) {
  const files::path shop = files::path(running.site().build) / "shop";
  ASSIGN_OR_RETURN(std::string manifest, text_of_file(shop / "catalogue.yaml"));
  manifest = with_spec(manifest, "binary", (shop / "catalogue").string());
  for (const auto& [key, value] : spec) manifest = with_spec(manifest, key, value);
  ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
  const std::string file = folder.path() + "/catalogue.yaml";
  std::ofstream stream(file);
  stream << manifest;
  stream.close();
  if (!stream) return fail(ErrorCode::kInternal, "write " + file);
  ASSIGN_OR_RETURN(NodeClient api,
                   NodeClient::connect(own_program(), running.state() + "/api.sock"));
  return api.deploy_folder(file);
}

Status measure_change(Running& running, Book& book) {
  const Site& site = running.site();
  if (!is_installed("ninja") || ::access((site.build + "/build.ninja").c_str(), R_OK) != 0 ||
      ::access((files::path(site.checkout) / kHandlerFile).c_str(), W_OK) != 0) {
    return fail(ErrorCode::kNotFound, "nothing can be built: no ninja, or no writable checkout");
  }
  const std::string name = running.kind().name;
  const SteadyTime begin = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(build_anew(site, running.kind().target));
  const auto built = std::chrono::steady_clock::now() - begin;
  ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
  RETURN_IF_ERROR(make_new_build(site, folder.path()));
  const SteadyTime again = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(running.script("release", {"catalogue"}, folder.path()));
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  ASSIGN_OR_RETURN(
      const auto answered,
      until_answered(running.catalogue(), running.kind().base + std::string(kProductPath), again,
                     kAnswerMax));
  book.add(name, metric::kChangeBuild, ms(built.count()));
  book.add(name, metric::kChange, ms((built + answered).count()));
  return ok();
}

Status measure_artefact(Running& running, Book& book) {
  const std::string name = running.kind().name;
  const files::path build = running.site().build;
  double sum = 0;
  if (name == kPatternKinds.front().name) {
    sum = file_mb(build / "patterns/monolith");
  } else if (name == kContainers) {
    sum = containers_mb(running);
  } else {
    for (const char* service : kShopServices) {
      sum += name == kVm ? file_mb(files::path(running.state()) / (service + std::string(".cpio")))
                         : file_mb(build / "shop" / service);
    }
  }
  if (sum <= 0) return fail(ErrorCode::kNotFound, "measure artefacts of " + name + ": none found");
  book.add(name, metric::kArtefact, sum);
  return ok();
}

Status measure_instances(Running& running, std::uint32_t instances, Book& book) {
  const std::string name = running.kind().name;
  const bool functions = name == kServerless;
  if (name == kVm) return fail(ErrorCode::kNotFound, "emulated machines are measured alone");
  if (functions) RETURN_IF_ERROR(add_functions(running, 1));
  ASSIGN_OR_RETURN(const double before, settled_mb(running));
  if (functions) {
    RETURN_IF_ERROR(add_functions(running, instances));
  } else {
    for (std::uint32_t number = 2; number <= instances; ++number) {
      RETURN_IF_ERROR(running.script("more", {std::to_string(number)}));
    }
  }
  const std::vector<pid_t> roots = running.roots();
  ASSIGN_OR_RETURN(const double after, settled_mb(running));
  book.add(name, metric::kInstanceMemory, (after - before) / (instances - 1));
  return ok();
}

}  // namespace subito::bench
