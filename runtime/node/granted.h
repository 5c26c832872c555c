// Granted: gathers what a manifest lists of config objects and secrets and packs it as pods get it
// (pods/grants.h). Used by Settings for the time of one packing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/manifest/function.pb.h"
#include "runtime/base/result.h"
#include "runtime/base/secret_memory.h"
#include "runtime/pods/grants.h"

namespace subito::node {

class Granted {
 public:
  // Takes the value in the way that `given` says. The error names what cannot be given so.
  Status add(const manifest::GivenObject& given, bool secret, const std::string& key,
             LockedBytes value);
  // kInvalidArgument: more than a pod is given.
  Result<pods::GrantsPtr> pack() const;

 private:
  struct Value {
    std::string object;  // of a secret, its name
    std::string key;
    LockedBytes bytes;
  };
  struct Placed {
    std::string name;  // of a variable; path of a file
    LockedBytes bytes;
  };

  static void place(std::vector<Placed>& all, const std::string& name, LockedBytes value);
  Status pack_environment(pods::PodGrants& grants) const;
  Status pack_files(pods::PodGrants& grants) const;
  Status pack_values(pods::PodGrants& grants) const;

  std::vector<Value> settings_;
  std::vector<Value> secrets_;
  std::vector<Placed> variables_;
  std::vector<Placed> files_;
  std::size_t bytes_ = 0;
};

}  // namespace subito::node
