// Revision: one immutable version of a function, ready to be started. Made from a manifest with its
// defaults filled in; shared by everything that runs it, so that pods of an old revision keep
// theirs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "deploy/manifest/function.pb.h"
#include "runtime/base/id.h"
#include "runtime/base/time.h"
#include "runtime/pods/home.h"
#include "runtime/protocol/pod.pb.h"
#include "scheduler/limits.h"

namespace subito::node {

struct Revision {
  FunctionId function;
  // What the scheduler knows it as: each revision that serves beside another has a lane, with
  // queue, pods and limits of its own. The function's id but for those that came beside
  // (rollouts.h).
  FunctionId lane;
  RevisionId id;
  std::string name;          // of the function
  std::uint64_t number = 0;  // counts the function's revisions from 1
  manifest::Function manifest;
  std::string artefact_hash;
  std::string artefact_path;
  pods::StartMode start_mode = pods::StartMode::kPooled;
  pods::PodLimits pod_limits;
  scheduler::FunctionLimits scaling;
  bool scaled = false;  // by `subito scale`, after it was deployed
  Duration timeout{};
  std::uint64_t body_bytes_max = 0;
  std::set<std::string> calls;
  std::map<std::string, std::string> trigger_paths;  // percent-decoded, to the trigger's name
  protocol::Config config;  // what its pods are told, but for their own name
  // Why no pod of it can be started, for people; empty: they can. Requests are answered with it.
  std::string out_of_service;
  // What its pods get of config objects and secrets; null: nothing. Why they cannot have it is part
  // of `out_of_service`, and told apart here because it may pass.
  pods::GrantsPtr grants;
  std::string grants_fault;
};
using RevisionPtr = std::shared_ptr<const Revision>;

struct Artefact {
  std::string hash;
  std::string path;
  std::string fault = {};  // why it cannot be had
};

RevisionPtr make_revision(FunctionId function, RevisionId id, std::uint64_t number,
                          const manifest::Function& manifest, const Artefact& artefact);
// Puts other grants in place of those it has; `fault`: why there are none.
void set_grants(Revision& revision, pods::GrantsPtr grants, const std::string& fault);
// How many pods it may and must have, by its manifest or by somebody's wish since.
void set_pod_counts(Revision& revision, const manifest::Scaling& scaling);

// The binding of that name; null: there is none.
const manifest::Binding* find_binding(const Revision& revision, const std::string& name);
// "catalogue:" unless the manifest says otherwise.
std::string redis_key_prefix(const Revision& revision, const manifest::Binding& binding);

}  // namespace subito::node
