// Who reaches what: functions that are not for clients, and paths that are a trigger's alone.
// Whoever may not, wakes nobody.
#include <gmock/gmock.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kDue[] =
    "bindings: [{name: cache, redis: {}}]\n"
    "triggers: [{name: due, due: {key: due}, path: /delivered}]\n";

class IngressTest : public NodeTest {
 protected:
  int status(const std::string& method, const std::string& path) const {
    return node.client().request(method, path).status;
  }
};

TEST_F(IngressTest, AnInternalFunctionIsThereForCallsAndOperatorsAlone) {
  node.deploy("inner", "echo", "ingress: internal", {"--no-check"});
  node.deploy("outer", "probe", "calls: [inner]", {"--no-check"});
  const HttpResponse missing = node.client().get("/function/inner/status/204");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("function-not-found"));
  EXPECT_EQ(node.pods_started("inner"), 0U);
  EXPECT_EQ(status("GET", "/function/outer/call/inner/status/204"), 204);
  const Ran invoked = node.cli({"invoke", "inner", "/x", "-d", "by hand"});
  EXPECT_EQ(invoked.out, "by hand") << invoked.err;
  EXPECT_THAT(node.cli({"describe", "inner"}).out, HasSubstr("none: its ingress is internal"));
  EXPECT_EQ(status("GET", "/v1/functions"), 404) << "the control API is on its socket alone";
}

TEST_F(IngressTest, AFunctionOfRoutesIsThereAtItsRoutesAlone) {
  node.deploy("shop", "echo", "ingress: routes\nroutes: [{path: /status}]", {"--no-check"});
  EXPECT_EQ(status("GET", "/function/shop/status/204"), 404);
  EXPECT_EQ(node.pods_started("shop"), 0U);
  EXPECT_EQ(status("GET", "/status/204"), 204);
  EXPECT_EQ(node.cli({"invoke", "shop", "/status/204"}).exit_code, 0);
  node.deploy("shop", "echo", "routes: [{path: /status}]", {"--no-check"});
  EXPECT_EQ(status("GET", "/function/shop/status/204"), 204);
}

TEST_F(IngressTest, NobodyForgesADelivery) {
  node.deploy("worker", "probe", kDue, {"--no-check"});
  node.deploy("outer", "probe", "calls: [worker]", {"--no-check"});
  for (const char* path : {"/delivered", "/%64elivered", "/delivered?x=1"}) {
    for (const char* method : {"POST", "GET"}) {
      const HttpResponse forged =
          node.client().request(method, "/function/worker" + std::string(path), "",
                                {{"ce-id", "forged"}, {"subito-delivery", "1"}});
      EXPECT_EQ(forged.status, 403) << method << " " << path;
      EXPECT_THAT(forged.body, HasSubstr("urn:subito:problem:trigger-path"));
      EXPECT_THAT(forged.body, HasSubstr("the path is of trigger due alone"));
    }
  }
  EXPECT_EQ(node.pods_started("worker"), 0U) << "somebody was woken";
  const HttpResponse called = node.client().post("/function/outer/call/worker/delivered", "");
  EXPECT_THAT(called.body, HasSubstr("trigger-path"));
  EXPECT_EQ(node.pods_started("worker"), 0U);

  ASSERT_EQ(status("POST", "/function/worker/due/due/real"), 200);
  ASSERT_TRUE(eventually(
      [&] { return node.function("worker").at("triggers").at(0).at("delivered") == 1; }));
  const Ran by_hand = node.cli({"invoke", "worker", "/delivered", "-X", "POST", "-H", "ce-id: hand",
                                "-H", "subito-delivery: 7"});
  EXPECT_EQ(by_hand.exit_code, 0) << by_hand.err;
  const std::string seen = node.client().get("/function/worker/seen").body;
  EXPECT_THAT(seen, HasSubstr("real"));
  EXPECT_THAT(seen, HasSubstr("7 - - hand"));
  EXPECT_THAT(seen, Not(HasSubstr("forged")));
}

// Large bodies, both ways, through the control socket.
TEST_F(IngressTest, AnOperatorsCallStreamsAsAClientsDoes) {
  node.deploy("inner", "echo", "ingress: internal", {"--no-check"});
  const Ran large = node.cli({"invoke", "inner", "/?bytes=3000000"});
  EXPECT_EQ(large.exit_code, 0) << large.err;
  EXPECT_EQ(large.out.size(), 3'000'000U);
  EXPECT_EQ(node.cli({"invoke", "inner", "/status/503"}).exit_code, 1);
  EXPECT_EQ(node.cli({"invoke", "nobody"}).exit_code, 3);
}

}  // namespace
}  // namespace subito::e2e
