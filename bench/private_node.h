// PrivateNode: a node of our own for one measurement, `subito up` of our own binary in a temporary
// folder on a port the system chose. When it goes, the node and all that was its own are gone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/temp_folder.h"

namespace subito::bench {

// Path of the running program, the subito binary.
std::string own_program();

class PrivateNode {
 public:
  // `more`: other options of `subito up`.
  static Result<PrivateNode> start(const std::string& program, std::uint32_t pool_size,
                                   const std::vector<std::string>& more = {});
  PrivateNode(PrivateNode&&) noexcept = default;
  ~PrivateNode();

  std::string data_folder() const { return folder_.path() + "/data"; }
  std::string api_socket() const { return data_folder() + "/api.sock"; }
  // The binaries that were deployed, as pods run them. kNotFound: none.
  Result<std::vector<std::string>> artefacts() const;
  pid_t pid() const { return child_.pid(); }

  static constexpr std::chrono::seconds kStartTimeout{30};
  static constexpr std::chrono::seconds kStopTimeout{30};

 private:
  PrivateNode(TempFolder folder, Child child, UniqueFd output)
      : folder_(std::move(folder)), child_(std::move(child)), output_(std::move(output)) {}
  Status await_ready();

  TempFolder folder_;  // destroyed last
  Child child_;
  UniqueFd output_;
};

}  // namespace subito::bench
