#include "runtime/node/triggers/occurrence.h"

#include <gtest/gtest.h>

namespace subito::node {
namespace {

std::string time_of(const std::string& id) {
  const DeliveryRequest request = request_of({occurrence_of_entry("shop:events", id, {})}, "/e", 1);
  for (const auto& [name, value] : request.invocation.fields) {
    if (name == "ce-time") return value;
  }
  return "";
}

// As with --listen (runtime/sdk/listen_delivery_test.cc).
TEST(Occurrence, ATimeBeyondAllIsTheLatestOne) {
  EXPECT_EQ(time_of("1764146353000-0"), "2025-11-26T08:39:13.000Z");
  for (const char* id : {"9223372036000-0", "9300000000000-0", "18446744073709551615-7"})
    EXPECT_EQ(time_of(id), "2262-04-11T23:47:16.000Z") << id;
  EXPECT_EQ(entry_unix_ms("none"), 0);
}

}  // namespace
}  // namespace subito::node
