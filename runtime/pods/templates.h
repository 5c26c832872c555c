// Templates: the images that pods begin as (protocol/image.h), each made by a process of its
// function in a sandbox like any other, which then ends. Kept by key until dropped. At most
// kMakingMax are made at once, in the order they were asked for; what failed is tried again.
//
// Owned by a home, which lends it sandboxes; on the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/loop/loop.h"
#include "runtime/pods/home.h"
#include "runtime/pods/line_reader.h"
#include "runtime/sandbox/kernel_areas.h"
#include "runtime/sandbox/sandbox_control.h"

namespace subito::pods {

class Templates {
 public:
  static constexpr std::size_t kMakingMax = 2;
  static constexpr Duration kDeadline = std::chrono::seconds(10);   // to come to serve()
  static constexpr Duration kRetryFirst = std::chrono::seconds(1);  // then doubled
  static constexpr std::uint32_t kRetryDoublingsMax = 6;

  struct Started {
    sandbox::SandboxId id;
    sandbox::NodeEnds ends;
  };
  struct Sandboxes {
    // A pod of `spec` in a sandbox of its own, with twice its memory.
    std::function<Result<Started>(const PodSpec& spec, int artefact)> start;
    std::function<void(sandbox::SandboxId)> kill;
    // Of every sandbox before it begins as an image.
    sandbox::KernelAreas kernel_areas;
  };

  Templates(Loop& loop, Sandboxes sandboxes);

  void keep(std::uint64_t key, const PodSpec& spec, TemplateCallback told);
  void drop(std::uint64_t key);
  TemplateView view(std::uint64_t key) const;
  std::uint32_t ready() const;
  std::uint64_t memory_bytes() const;

  // What a pod needs to begin as it. -1: it is not ready.
  struct Image {
    int image = -1;
    int artefact = -1;
  };
  Image image(std::uint64_t key) const;

  // True: the sandbox was of a template in the making. Of any other nothing happens.
  bool on_sandbox_ended(sandbox::SandboxId id, const PodExit& exit);

 private:
  struct Entry {
    PodSpec spec;
    TemplateCallback told;
    TemplateView view;
    UniqueFd artefact;
    UniqueFd image;
    std::uint32_t failures = 0;  // in a row
    TimePoint begun;
    bool late = false;
    sandbox::SandboxId sandbox;
    UniqueFd channel;
    std::unique_ptr<LineReader> output;  // read, so that its process can go on printing
    std::string last_line;               // of it
    std::unique_ptr<Timer> timer;        // kMaking: its deadline; kFailed: the next try
  };

  void make_next();
  Status make(std::uint64_t key, Entry& entry);
  void finish(std::uint64_t key, Entry& entry, const PodExit& exit);
  void fail(std::uint64_t key, Entry& entry, std::string fault);
  void tell_later(std::uint64_t key);
  void tell();

  Loop& loop_;
  Sandboxes sandboxes_;
  std::map<std::uint64_t, Entry> entries_;
  std::deque<std::uint64_t> waiting_;
  std::deque<std::uint64_t> to_tell_;
  TurnEnd tell_;
  std::map<sandbox::SandboxId, std::uint64_t> making_;  // that of a dropped one: key 0
};

}  // namespace subito::pods
