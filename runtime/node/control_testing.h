// For tests: a control plane over a real store and an engine with fake pods.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "deploy/store/store_testing.h"
#include "runtime/node/control.h"
#include "runtime/node/fake_pod.h"

namespace subito::node {

class ControlFixture : public EngineFixture {
 public:
  explicit ControlFixture(const std::string& data)
      : store(store::open_or_die(data)), settings(store->objects(), {data + "/secret.key"}) {
    engine.remove_function(echo);  // here they come from the store
    settle();
  }

  static manifest::Function function(const std::string& name) {
    manifest::Function function;
    function.mutable_metadata()->set_name(name);
    *function.mutable_spec() = plain_spec();
    return function;
  }

  void store_function(const std::string& name) {
    const auto candidate = store->prepare(function(name), store::put(*store, name));
    ASSERT_TRUE(candidate && store->commit(*candidate));
  }

  std::string deploy(const manifest::Function& function, const std::string& artefact,
                     bool traffic = true) {
    std::string said = "nothing";
    const api::DeployOptions options{.check = false, .traffic = traffic, .message = ""};
    control.begin_deploy(function, artefact, options, [&](const auto& result) {
      said = result ? "deployed" : result.error().error.message;
    });
    settle();
    return said;
  }

  void ask_function(CallerToken token, const std::string& name) {
    echo = functions.find(name)->id;
    invoke(token);
  }

  std::unique_ptr<store::Store> store;
  Journal journal;
  LogBook logs;
  Symbolizer symbolizer{loop};
  Reporter reporter{journal, logs, symbolizer};
  Functions functions;
  gateway::Gateway gateway{engine};
  gateway::Gateway operator_gateway{engine, Origin::kOperator};
  RequestFeed requests{engine};
  CallBreakers breakers{[](const auto&, const auto&, const auto&) {}};
  std::vector<std::string> forgotten;
  Settings settings;
  Control control{{loop, *store, engine, functions, gateway, journal, logs, reporter, requests,
                   breakers, [this](const std::string& name) { forgotten.push_back(name); },
                   std::chrono::milliseconds(1), nullptr, &operator_gateway, &settings}};
};

}  // namespace subito::node
