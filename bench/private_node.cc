#include "bench/private_node.h"

#include <fcntl.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace subito::bench {

std::string own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

Result<PrivateNode> PrivateNode::start(const std::string& program, std::uint32_t pool_size,
                                       const std::vector<std::string>& more) {
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  const std::string log = folder.path() + "/node.log";
  const UniqueFd errors(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!errors.valid()) return errno_error("open " + log);
  const std::string data = folder.path() + "/data";
  std::vector<std::string> arguments = {
      program,       "--socket", data + "/api.sock", "up",     "--data",
      data,          "--listen", "127.0.0.1:0",      "--pool", std::to_string(pool_size),
      "--log-level", "warning"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  UniqueFd output;
  ASSIGN_OR_RETURN(Child child,
                   start_service({program, std::move(arguments)}, output, errors.get()));
  PrivateNode node(std::move(folder), std::move(child), std::move(output));
  if (auto ready = node.await_ready(); !ready) {
    std::stringstream text;
    text << std::ifstream(log).rdbuf();
    Error error = std::move(ready).error().annotate("start private node");
    error.message += "\n" + text.str();
    return error;
  }
  return node;
}

// It says "ready at URL, API at SOCKET" in one line.
Status PrivateNode::await_ready() {
  RETURN_IF_ERROR(read_line(output_.get(), kStartTimeout));
  return ok();
}

Result<std::vector<std::string>> PrivateNode::artefacts() const {
  const std::string folder = data_folder() + "/artefacts";
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    if (it->is_regular_file(gone)) found.push_back(it->path());
  }
  if (error) return errno_error("list " + folder, error.value());
  if (found.empty()) return fail(ErrorCode::kNotFound, "list " + folder + ": no binary in it");
  return found;
}

PrivateNode::~PrivateNode() {
  child_.signal(SIGTERM);
  (void)child_.end(kStopTimeout);
}

}  // namespace subito::bench
