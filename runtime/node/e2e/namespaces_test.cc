// Two shops in two namespaces of one node: neither sees anything of the other.
#include <gmock/gmock.h>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class NamespacesTest : public NodeTest {
 protected:
  Ran must(const std::vector<std::string>& arguments) const {
    Ran ran = node.cli(arguments, seconds(60));
    EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    return ran;
  }
  // At the routes of a namespace.
  HttpResponse at_host(const std::string& host, const std::string& method,
                       const std::string& target, const std::string& body = {},
                       const std::string& fields = {}) const {
    HttpClient client = node.client();
    client.write(method + " " + target + " HTTP/1.1\r\nhost: " + host + "\r\n" + fields +
                 "content-type: application/json\r\ncontent-length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read();
  }
  Json stock_of(const std::string& name_space) const {
    return node.json({"invoke", "stock", "/stocks/3", "-n", name_space});
  }
  std::vector<std::string> functions(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = {"get", "functions", "-o", "json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<std::string> names;
    const Json list = node.json(all);
    for (const Json& item : list.at("items")) names.push_back(item.at("name"));
    return names;
  }
};

TEST_F(NamespacesTest, ASecondShopSharesNothingWithTheFirst) {
  must({"namespace", "create", "staging", "--host", "shop.example"});
  must({"deploy", "-f", SUBITO_SHOP_DIR, "--no-check"});
  must({"deploy", "-f", SUBITO_SHOP_DIR, "--no-check", "-n", "staging"});
  ASSERT_EQ(at_host("localhost", "POST", "/seed").status, 200);
  const HttpResponse empty = at_host("staging.localhost:8080", "GET", "/products");
  EXPECT_EQ(empty.status, 200) << empty.body;
  EXPECT_THAT(empty.body, Not(HasSubstr("Widget"))) << "the first shop's seed";
  ASSERT_EQ(at_host("shop.example", "POST", "/seed").status, 200);

  const HttpResponse order =
      at_host("staging.localhost", "POST", "/orders",
              R"({"customer": "ada", "lines": [{"productId": "3", "quantity": 2}]})",
              "idempotency-key: one\r\n");
  EXPECT_LT(order.status, 300) << order.body;
  EXPECT_TRUE(eventually([&] { return stock_of("staging").at("sold") == 2; }));
  EXPECT_EQ(stock_of("default").at("sold"), 0);
  EXPECT_EQ(stock_of("default").at("amountAvailable"), 999);
  EXPECT_EQ(node.json({"invoke", "payment", "/customers/ada"}).at("spentMinor"), 0);
  EXPECT_GT(node.json({"invoke", "payment", "/customers/ada", "-n", "staging"}).at("spentMinor"),
            0);

  const auto own = functions({});
  EXPECT_THAT(own, ElementsAre("catalogue", "checkout", "payment", "shopfront", "stock"));
  EXPECT_THAT(functions({"-n", "staging"}), testing::Each(HasSubstr(".staging")));
  EXPECT_EQ(functions({"-A"}).size(), 10U);
  const Json staged = node.json({"get", "pods", "-n", "staging", "-o", "json"});
  for (const Json& pod : staged.at("items")) {
    EXPECT_EQ(pod.at("namespace"), "staging") << pod;
  }
  for (const Json& pod : node.pod_list()) EXPECT_EQ(pod.at("namespace"), "default") << pod;

  must({"delete", "stock", "-n", "staging"});
  EXPECT_THAT(at_host("staging.localhost", "GET", "/products").body, HasSubstr("\"degraded\":true"))
      << "it does not call the stock of the first";
  EXPECT_EQ(stock_of("default").at("amountAvailable"), 999);
  EXPECT_EQ(node.cli({"namespace", "delete", "staging"}).exit_code, 1);
  must({"namespace", "delete", "staging", "--all", "--yes"});
  EXPECT_EQ(functions({"-A"}), own);
}

TEST_F(NamespacesTest, ADeployToANamespaceThatIsNotThereIsToldHowToMakeIt) {
  const Ran ran = node.try_deploy("echo", function_binary("echo"), "", {"-n", "nowhere"});
  EXPECT_NE(ran.exit_code, 0);
  EXPECT_THAT(ran.err, HasSubstr("subito namespace create nowhere"));
}

TEST_F(NamespacesTest, ARateHoldsForAllFunctionsOfANamespaceTogether) {
  must({"namespace", "create", "staging", "--rate", "1"});
  for (const char* name : {"one", "two"}) {
    node.deploy(name, "echo", {}, {"-n", "staging"});
    node.deploy(name, "echo");
  }
  HttpClient client = node.client();
  std::vector<int> statuses;
  for (int i = 0; i < 10; ++i) {
    const std::string name = i % 2 == 0 ? "one" : "two";
    statuses.push_back(client.get("/function/" + name + ".staging").status);
  }
  EXPECT_EQ(statuses.front(), 200);
  EXPECT_THAT(statuses, testing::Contains(429));
  EXPECT_EQ(client.get("/function/one").status, 200) << "of another namespace";
  must({"namespace", "set", "staging", "--rate", "0"});
  EXPECT_EQ(client.get("/function/one.staging").status, 200);
}

TEST_F(NamespacesTest, AQuotaHoldsForANamespaceAndForNoOther) {
  must({"namespace", "create", "small", "--pods", "1"});
  const std::string slow = "settings: {sleep_ms: '600'}\nscaling: {idle: 0s}";
  node.deploy("a", "echo", slow, {"-n", "small", "--no-check"});
  node.deploy("b", "echo", slow, {"-n", "small", "--no-check"});
  node.deploy("a", "echo", slow, {"--no-check"});
  std::vector<Child> calls;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(node.follow({"invoke", "a", "-n", "small"}, "a" + std::to_string(i)));
    calls.push_back(node.follow({"invoke", "b", "-n", "small"}, "b" + std::to_string(i)));
  }
  EXPECT_EQ(node.client().get("/function/a").status, 200);
  std::size_t most = 0;
  for (Child& call : calls) {
    const auto pods = node.json({"get", "pods", "-n", "small", "-o", "json"}).at("items");
    most = std::max(most, pods.size());
    EXPECT_TRUE(call.wait());
  }
  EXPECT_LE(most, 1U);
}

}  // namespace
}  // namespace subito::e2e
