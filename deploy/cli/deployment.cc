#include "deploy/cli/deployment.h"

#include <algorithm>
#include <filesystem>

#include "deploy/cli/refusals.h"
#include "deploy/manifest/elf_check.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::cli {

namespace {

namespace fs = std::filesystem;

Outcome<Json> put_and_deploy(Node& node, const manifest::Manifest& one,
                             const SendOptions& options) {
  const auto hash = node.put_artefact(one.binary_path());
  if (!hash) return tl::unexpected<Failure>(hash.error());
  Json body = {{"manifest", Json::parse(manifest::to_json(one.function))},
               {"artefact", *hash},
               {"check", options.check},
               {"traffic", options.traffic}};
  if (!options.message.empty()) body["message"] = options.message;
  const std::string name = manifest::qualified_name(one.function.metadata());
  return node.call("POST", "/v1/functions/" + name + "/deploy", body.dump());
}

// Of a binary that is not there, what it may have been meant to be: "; executable files there: a,
// b".
std::string executables_beside(const fs::path& binary) {
  constexpr std::size_t kShownMax = 3;
  std::error_code error;
  if (fs::exists(binary, error)) return "";
  std::vector<std::string> names;
  for (fs::directory_iterator it(binary.parent_path(), error), end; !error && it != end;
       it.increment(error)) {
    const fs::file_status status = it->status(error);
    if (fs::is_regular_file(status) &&
        (status.permissions() & fs::perms::owner_exec) != fs::perms::none)
      names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  names.resize(std::min(names.size(), kShownMax));
  std::string words;
  for (const std::string& name : names)
    words += (words.empty() ? "; executable files there: " : ", ") + name;
  return words;
}

}  // namespace

std::optional<std::string> use_namespace(const Session& session, manifest::Manifest& one) {
  manifest::Metadata& metadata = *one.function.mutable_metadata();
  const std::string& own = metadata.namespace_();
  if (own.empty()) {
    metadata.set_namespace_(session.namespace_in_use());
  } else if (!session.name_space.empty() && own != session.name_space) {
    return "is '" + own + "', but -n says '" + session.name_space + "'; leave one of them away";
  }
  return std::nullopt;
}

Outcome<Manifests> read_manifests(const Session& session, const std::vector<std::string>& paths,
                                  const char* nothing) {
  manifest::Manifests read = manifest::load(paths);
  for (manifest::Manifest& one : read.manifests) {
    const auto wrong = use_namespace(session, one);
    if (!wrong) continue;
    const auto line = one.lines.find("metadata.namespace");
    read.faults.push_back({one.file, line == one.lines.end() ? one.line : line->second,
                           "metadata.namespace", *wrong});
  }
  if (read.faults.empty()) return std::move(read.manifests);
  std::string faults;
  for (const manifest::Fault& fault : read.faults) faults += to_string(fault) + kNextFault;
  return tl::unexpected<Failure>(Failure{kRefused,
                                         faults + std::to_string(read.faults.size()) +
                                             (read.faults.size() == 1 ? " fault" : " faults") +
                                             ", nothing was " + nothing,
                                         {}});
}

std::vector<std::string> wrong_binaries(const Manifests& manifests) {
  std::vector<std::string> wrong;
  for (const manifest::Manifest& one : manifests) {
    const std::string path = one.binary_path();
    if (auto facts = manifest::check_elf_file(path, path); !facts)
      wrong.push_back(place_of(one, "spec.binary") + one.function.metadata().name() + ": " +
                      facts.error().message + executables_beside(path));
  }
  return wrong;
}

// The node clears away binaries that nobody uses: one that went just now is put again, once.
Outcome<Json> send_deploy(Node& node, const manifest::Manifest& one, const SendOptions& options) {
  auto receipt = put_and_deploy(node, one, options);
  if (!receipt && receipt.error().type() == "artefact-missing")
    receipt = put_and_deploy(node, one, options);
  return receipt;
}

void print_receipt(const Session& session, const Json& receipt,
                   const manifest::Function& function) {
  const std::string name = session.shown(receipt.value("name", "")), url = receipt.value("url", "");
  const bool unchanged = receipt.value("unchanged", false);
  session.out() << coloured(name, Colour::kBold, session.colours()) << " revision "
                << receipt.at("revision") << (unchanged ? " is unchanged" : " is deployed");
  if (receipt.value("checked", false))
    session.out() << ", started in " << time_words(receipt.value("startMicros", 0.0)) << ' '
                  << receipt.value("startMode", "");
  session.out() << '\n';
  if (receipt.value("rolling", false)) {
    session.out() << "  it takes over pod by pod: subito rollout status " << name << " -w\n";
  } else if (receipt.value("aside", false)) {
    session.out() << "  it gets no traffic yet: subito traffic set " << name << " r"
                  << receipt.at("revision") << "=100\n";
  }
  std::vector<std::string> routes;
  for (const manifest::Route& route : function.spec().routes()) routes.push_back(route.path());
  const std::vector<std::string> urls = urls_of(url, routes);
  for (const std::string& one : urls) session.out() << "  " << one << '\n';
  if (urls.empty()) {
    session.out() << "  subito invoke " << name << '\n';
    return;
  }
  // A route is a path that its author had in mind; below its name it may have no answer.
  const bool has_both = !routes.empty() && urls.size() > routes.size();
  session.out() << "  curl -i " << urls[has_both ? 1 : 0] << '\n';
}

int tell_deploy_failure(const Session& session, const manifest::Manifest& one,
                        const Failure& failure, bool with_logs) {
  const std::string name = session.shown(manifest::qualified_name(one.function.metadata()));
  std::ostream& err = session.environment.err;
  if (failure.exit_code == kNoNode) return session.tell(failure);
  (void)session.tell(failure.exit_code, placed_refusals(one, failure.message));
  if (!failure.problem.contains("lastLogs")) return failure.exit_code;
  const Json& logs = failure.problem["lastLogs"];
  if (with_logs && !logs.empty()) {
    err << "last log lines:\n";
    for (const Json& record : logs) err << "  " << log_line(record, false) << '\n';
  }
  const auto current = failure.problem.value("currentRevision", std::uint64_t{0});
  if (current > 0)
    err << "previous revision stays: " << name << " revision " << current << '\n';
  else
    err << "nothing is deployed as " << name << '\n';
  return failure.exit_code;
}

}  // namespace subito::cli
