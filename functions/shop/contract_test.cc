// Every contract of the shop (functions/*/contracts/*.json), run against the real provider alone:
// its router on an empty Redis of its own.
#include "functions/shop/contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "functions/shop/test_shop.h"

namespace shop {
namespace {

using subito::Response;

std::vector<std::string> contract_files() {
  std::vector<std::string> files;
  for (const auto& function : std::filesystem::directory_iterator(SUBITO_SHOP_FUNCTIONS)) {
    const auto folder = function.path() / "contracts";
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      files.push_back(file.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  const std::filesystem::path path(info.param);
  return path.parent_path().parent_path().filename().string() + "Expects" + path.stem().string();
}

class ContractTest : public testing::TestWithParam<std::string> {};

TEST_P(ContractTest, TheProviderKeepsIt) {
  if (!TestRedis::installed()) GTEST_SKIP() << "redis-server is not installed";
  const Contract contract = read_contract(GetParam());
  EXPECT_EQ(name_of({GetParam(), 0}), contract.consumer + "Expects" + contract.provider);
  EXPECT_FALSE(contract.interactions.empty());
  for (const Interaction& one : contract.interactions) {
    TestShop shop;
    for (const char* other : {"catalogue", "stock", "payment", "checkout", "shopfront"}) {
      if (other != contract.provider) shop.function(contract.provider).calls.erase(other);
    }
    for (const auto& request : one.given) {
      const Response set_up = shop.ask(contract.provider, request);
      EXPECT_LT(set_up.status(), 300) << one.description << ": " << set_up.body();
    }
    const Response answer = shop.ask(contract.provider, request_of(one.request));
    EXPECT_EQ(contract_fault(one.response, answer), "")
        << contract.provider << ": " << one.description;
    // What a consumer's own tests are given is what the contract says.
    EXPECT_EQ(contract_fault(one.response, example_answer(contract, one.description)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Shop, ContractTest, testing::ValuesIn(contract_files()), name_of);

TEST(ContractFaultTest, SaysWhatIsNotAsExpected) {
  const Json expected = Json::parse(R"({"status":200,"headers":{"link":{"$type":"string"}},)"
                                    R"("body":[{"id":"1","n":{"$type":"integer"}}]})");
  const auto fault = [&](const std::string& body) {
    return contract_fault(expected, Response::json(body).header("link", "<a>"));
  };
  EXPECT_EQ(fault(R"([{"id":"1","n":7,"more":true}])"), "");
  EXPECT_EQ(fault(R"([{"id":"2","n":7}])"), "/0/id: \"2\" is not \"1\"");
  EXPECT_EQ(fault(R"([{"id":"1","n":"7"}])"), "/0/n: \"7\" is no \"integer\"");
  EXPECT_EQ(fault(R"([{"n":7}])"), "/0: \"id\" is missing");
  EXPECT_EQ(fault("[]").substr(0, 13), "/: [] is not ");
  EXPECT_EQ(contract_fault(expected, Response(404)), "status 404: ");
  EXPECT_EQ(contract_fault(expected, Response::json("[]")), "header link is missing");
  EXPECT_EQ(contract_fault(expected, Response::text("[]").header("link", "")),
            "its content type is another");
}

}  // namespace
}  // namespace shop
