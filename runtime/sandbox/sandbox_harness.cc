#include "runtime/sandbox/sandbox_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/base/check.h"
#include "runtime/sandbox/kernel_areas.h"
#include "runtime/sandbox/packet_socket.h"

namespace subito::sandbox {

Harness::Harness(LauncherConfig config) {
  auto client = LauncherClient::start(config);
  if (!client) std::fprintf(stderr, "%s\n", client.error().message.c_str());
  CHECK(client.has_value());
  client_.emplace(*std::move(client));
}

std::string Harness::unique_node_id() {
  static int count = 0;
  return "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

void Harness::set_artefact(const std::string& path) {
  artefact_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(artefact_.valid());
}

SandboxId Harness::create(const CreateRequest& request) {
  auto sockets = make_sandbox_sockets();
  CHECK(sockets.has_value());
  const SandboxId id = ids_.next();
  CHECK(client_->create(id, request, std::move(sockets->pod)).has_value());
  controls_.emplace(id, SandboxControl(std::move(sockets->node.control)));
  ends_.emplace(id, std::move(sockets->node));
  return id;
}

Status Harness::launch(SandboxId id, const std::vector<std::string>& argv, bool wait_for_limits,
                       int image) {
  LaunchRequest request;
  request.artefact_fd = artefact_.get();
  request.image_fd = image;
  request.argv = argv;
  request.envp = {"HOME=/tmp"};
  request.wait_for_limits = wait_for_limits;
  return controls_.at(id).launch(request);
}

void Harness::turn() {
  pollfd readable = {client_->fd(), POLLIN, 0};
  const int ready = ::poll(&readable, 1, static_cast<int>(kHarnessDeadline.count()));
  if (ready < 0 && errno == EINTR) return;  // who waits looks and comes again
  CHECK(ready == 1);
  const Status heard = client_->on_readable(*this);
  if (!heard) std::fprintf(stderr, "%s\n", heard.error().message.c_str());
  CHECK(heard.has_value());
}

const Created& Harness::await_created(SandboxId id) {
  const Created* created = await_created_or_ended(id);
  CHECK(created != nullptr);
  return *created;
}

const Created* Harness::await_created_or_ended(SandboxId id) {
  while (!created_.contains(id) && !ended_.contains(id)) turn();
  const auto created = created_.find(id);
  return created == created_.end() ? nullptr : &created->second;
}

Harness::Ended Harness::await_end(SandboxId id) {
  while (!ended_.contains(id)) turn();
  Ended ended = std::move(ended_.extract(id).mapped());
  char part[4096];
  ssize_t size = 0;
  while ((size = ::read(ends_.at(id).stdio.get(), part, sizeof part)) > 0) {
    ended.output.append(part, static_cast<std::size_t>(size));
  }
  ends_.erase(id);
  controls_.erase(id);
  created_.erase(id);
  return ended;
}

Harness::Ended Harness::run(const std::vector<std::string>& argv, const CreateRequest& request) {
  const SandboxId id = create(request);
  (void)launch(id, argv);  // one that was refused is gone already: its end says why
  return await_end(id);
}

UniqueFd Harness::make_image(const std::vector<std::string>& argv, std::size_t bytes_max,
                             bool told) {
  UniqueFd image(::memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK(::ftruncate(image.get(), static_cast<off_t>(bytes_max)) == 0);
  const int fd = image.get();
  const auto areas = find_kernel_areas(client_->launcher_pid());
  CHECK(areas.has_value());
  if (told) CHECK(put_kernel_areas(fd, *areas).has_value());
  const SandboxId id = create();
  CHECK(send_packet(ends(id).channel.get(), "x", 1, nullptr, 0, &fd, 1, 0) == 0);
  CHECK(launch(id, argv).has_value());
  (void)await_end(id);
  CHECK(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0);
  return image;
}

Harness::Ended Harness::run_image(int image, const CreateRequest& request) {
  const SandboxId id = create(request);
  // Executed if it cannot become the image: the arguments show it.
  (void)launch(id, {"not-the-image"}, false, image);
  return await_end(id);
}

void Harness::kill_and_forget(SandboxId id) {
  CHECK(client_->kill(id).has_value());
  (void)await_end(id);
}

}  // namespace subito::sandbox
