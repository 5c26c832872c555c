// Podman: a container of the catalogue's binary, run by podman from a root of nothing but that,
// with a pod's limits and the network of the host. Images, state and configuration are the run's
// own; all of a container lives in a process namespace that ends with us. Needs root. One thread.
#pragma once

#include <string>

#include "bench/child.h"
#include "bench/container.h"
#include "bench/patterns/own_group.h"
#include "runtime/base/result.h"

namespace subito::bench {

class Podman {
 public:
  // kNotFound: podman is not installed. `folder` must outlive it; `process` must listen.
  static Result<Podman> prepare(const std::string& folder, const std::string& binary,
                                ContainerProcess process);

  // Runs a container that never was before. What is timed has unshare(1) in it, about 1 ms.
  Command next();
  // Ends what next() started, by podman itself, which removes it.
  static void end(Child& child);

 private:
  Podman(std::string home, ContainerProcess process);

  std::string home_;
  ContainerProcess process_;
  OwnGroup group_;
  int number_ = 0;
};

}  // namespace subito::bench
