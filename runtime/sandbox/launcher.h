// Launcher: the parent of every pod of a node, in a process of its own (launcher_main.cc), so that
// the node never forks its own large memory. Single-threaded; owns each sandbox's process, pidfd,
// cgroup, uid and network namespace, and is the only one that reaps. Waits in epoll and nowhere
// else.
//
// One slot per sandbox alive; a slot's number is its uid's offset:
//
//   free ─▶ starting ─▶ isolated ─▶ removing ─▶ free
//               └──────────────────────▲           removing: dead and reported, but a cgroup that
//               is not kept is there yet, or its network namespace still being made
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/base/cpu_turns.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sandbox/cgroup.h"
#include "runtime/sandbox/messages.h"
#include "runtime/sandbox/network_maker.h"
#include "runtime/sandbox/packet_socket.h"
#include "runtime/sandbox/pod_init.h"
#include "runtime/sandbox/syscall_filter.h"

namespace subito::sandbox {

class Launcher {
 public:
  // `socket`: the connection to the node.
  static Result<Launcher> open(const ConfigureMessage& config, int socket);

  // Until the node is gone; then ends every pod and removes every cgroup.
  void run();

  static constexpr int kRemoveTriesMax = 1000;  // 2 to 5 ms apart; then it is left to the sweep
  static constexpr int kLookMilliseconds =
      2;  // between two looks whether one that starts is isolated

 private:
  struct Namespaces {
    UniqueFd network;
    UniqueFd ipc;
  };
  enum class State { kFree, kStarting, kIsolated, kRemoving };
  struct Slot {
    State state = State::kFree;
    SandboxId id;
    pid_t pid = -1;
    UniqueFd pidfd;
    Namespaces kept;       // for the next pod that need not be fresh
    SandboxId cgroup;      // names it; none: it is in the reserve
    bool renewed = false;  // the cgroup, which was a dead pod's
    bool leaves_cgroup = true;
    UniqueFd peak;  // of the cgroup, as CgroupTree::renew() left it
    bool cpu_share_changed = false;
    SandboxLimits limits;
    std::optional<SandboxLimits> limits_wanted;
    std::optional<std::uint32_t> cpu_share_wanted;
    std::uint32_t make_cgroup_us = 0;
    std::uint32_t clone_us = 0;
    int remove_tries = 0;
  };

  struct SpareCgroup {
    SandboxId name;
    UniqueFd peak;
  };

  static constexpr std::uint32_t kSocketTag = ~0U;  // in epoll; smaller ones are slots
  static constexpr std::uint32_t kNotifyTag = ~0U - 1;
  static constexpr std::uint32_t kNetworkMakerTag = ~0U - 2;
  static constexpr std::uint32_t kSlotTagsEnd = kNetworkMakerTag;

  Launcher() = default;
  Status open_descriptors();
  Status open_slots();
  void transition(Slot& slot, State to);

  bool take_message();  // false: the node is gone
  void create(const CreateMessage& message, Packet& packet);
  void change_limits(const ChangeLimitsMessage& message);
  void apply_limits(std::uint32_t index);
  void share_cpu(const ShareCpuMessage& message);
  void apply_cpu_share(Slot& slot);
  void kill(const KillMessage& message);
  void take_from_reserves(Slot& slot, bool reuse);
  int clone_child(std::uint32_t index, const Packet& packet);
  int make_cgroup(Slot& slot);
  void give_up(std::uint32_t index, Step step, int os_errno);

  int wait_milliseconds() const;
  void empty_notify_pipe();
  void look_for_isolated();
  void on_isolated(std::uint32_t index);
  static UniqueFd namespace_of(const Slot& slot, unsigned long request, const char* name);
  void keep_namespaces(std::uint32_t index);
  bool take_back_network(std::uint32_t index);  // false: it is still being made
  std::uint32_t lent_network_us(std::uint32_t index);
  void give_network_maker_up(const char* reason);  // null: nothing to tell
  void on_exit(std::uint32_t index);
  void report_exit(const Slot& slot, const SharedSlot& shared, const CgroupUsage& usage,
                   int wait_status, const rusage& used);
  void keep_cgroup(Slot& slot);
  void drop_cgroup_reserve(int tries_max);
  void set_free(std::uint32_t index);
  bool remove_one();  // true: it made progress
  void end_all();

  // Blocks while the node is behind: it never waits for us, so it will catch up.
  template <typename Message>
  void send(const Message& message) {
    if (node_gone_) return;
    node_gone_ = send_packet(socket_, &message, sizeof message, nullptr, 0, nullptr, 0, 0) != 0;
  }
  void fail_create(SandboxId id, Step step, int os_errno);
  SharedSlot& shared(std::uint32_t index) { return shared_[index]; }

  ConfigureMessage config_;
  int socket_ = -1;
  bool node_gone_ = false;
  UniqueFd epoll_;
  UniqueFd notify_read_;
  UniqueFd notify_write_;
  UniqueFd own_pidfd_;
  UniqueFd pod_root_;
  std::unique_ptr<NetworkMaker> network_maker_;  // null: children make their own
  std::vector<CgroupTree> cgroups_;              // exactly one
  std::vector<SyscallFilter> filter_;            // exactly one
  KernelAreas kernel_areas_;
  std::uint32_t capability_last_ = 0;
  Turn usual_turn_{};             // of pods; zero: the kernel knows none
  SharedSlot* shared_ = nullptr;  // sandboxes_max of them, mapped for the process's life
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::uint64_t, std::uint32_t> slot_of_id_;
  std::vector<std::uint32_t> starting_;  // slots; some have gone on or died since
  std::deque<std::uint32_t> removing_;
  std::vector<Namespaces> namespace_reserve_;  // at most config_.namespace_reserve_max
  // At most config_.cgroup_reserve_max, as new. The oldest goes first: what was freed late is gone.
  std::deque<SpareCgroup> cgroup_reserve_;
};

}  // namespace subito::sandbox
