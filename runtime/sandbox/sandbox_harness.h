// For tests and benchmarks of the sandbox: a launcher client driven by poll(2), without an event
// loop, and the sandboxes made with it. Everything has a deadline; nothing sleeps.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/sandbox/launcher_client.h"
#include "runtime/sandbox/sandbox_control.h"

namespace subito::sandbox {

constexpr std::chrono::milliseconds kHarnessDeadline{20'000};

class Harness final : public LauncherEvents {
 public:
  explicit Harness(LauncherConfig config);
  explicit Harness(LauncherClient client) : client_(std::move(client)) {}

  // All that a finished sandbox left behind.
  struct Ended {
    std::string output;  // what it wrote to descriptors 1 and 2
    std::optional<Exited> exited;
    std::optional<CreateFailed> create_failed;
  };

  LauncherClient& client() { return *client_; }
  SandboxId create(const CreateRequest& request = {});
  Status launch(SandboxId id, const std::vector<std::string>& argv, bool wait_for_limits = false,
                int image = -1);
  NodeEnds& ends(SandboxId id) { return ends_.at(id); }
  SandboxControl& control(SandboxId id) { return controls_.at(id); }

  const Created& await_created(SandboxId id);
  // Null: it could not be made, await_end() says why.
  const Created* await_created_or_ended(SandboxId id);
  Ended await_end(SandboxId id);
  // create, launch, await_end
  Ended run(const std::vector<std::string>& argv, const CreateRequest& request = {});
  // The image that the artefact leaves when it is started so and handed a memfd over its channel
  // (runtime/sdk/template_image.h), blank or refused too. `told`: of the kernel's areas.
  UniqueFd make_image(const std::vector<std::string>& argv, std::size_t bytes_max = 64 << 20,
                      bool told = true);
  // create, launch as the image, await_end
  Ended run_image(int image, const CreateRequest& request = {});
  void kill_and_forget(SandboxId id);
  void turn();

  void on_created(const Created& event) override { created_[event.id] = event; }
  void on_create_failed(const CreateFailed& event) override {
    ended_[event.id].create_failed = event;
  }
  void on_exited(const Exited& event) override { ended_[event.id].exited = event; }

  bool ended(SandboxId id) const { return ended_.contains(id); }
  void set_artefact(const std::string& path);
  static std::string unique_node_id();

 private:
  std::optional<LauncherClient> client_;
  IdSource<SandboxId> ids_;
  UniqueFd artefact_;
  std::map<SandboxId, NodeEnds> ends_;
  std::map<SandboxId, SandboxControl> controls_;
  std::map<SandboxId, Created> created_;
  std::map<SandboxId, Ended> ended_;
};

}  // namespace subito::sandbox
