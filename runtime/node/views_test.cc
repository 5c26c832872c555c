#include "runtime/node/views.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

TEST(GatewayUrl, IsWhereAClientOnThisMachineFindsIt) {
  EXPECT_EQ(gateway_url("127.0.0.1", 8080), "http://127.0.0.1:8080");
  EXPECT_EQ(gateway_url("10.0.0.7", 80), "http://10.0.0.7:80");
  EXPECT_EQ(gateway_url("fd00::7", 80), "http://[fd00::7]:80");
  EXPECT_EQ(gateway_url("0.0.0.0", 8080), "http://127.0.0.1:8080");
  EXPECT_EQ(gateway_url("::", 8080), "http://[::1]:8080");
}

}  // namespace
}  // namespace subito::node
