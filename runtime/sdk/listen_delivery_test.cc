#include "runtime/sdk/listen_delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::sdk {
namespace {

using testing::HasSubstr;

std::string fault_of(const char* variable) {
  const char* const variables[] = {variable, nullptr};
  const auto triggers = triggers_of(variables);
  return triggers ? "" : triggers.error().message;
}

std::string header(const Request& request, std::string_view name) {
  return std::string(request.header(name).value_or("-"));
}

TEST(ListenDeliveryTest, ReadsTriggersOfTheEnvironment) {
  const char* const variables[] = {"PATH=/bin", "TRIGGER_ORDER_HISTORY=stream shop:events /events",
                                   "TRIGGER_DUE=due  shop:due /due", "TRIGGERED=no", nullptr};
  const auto triggers = triggers_of(variables);
  ASSERT_TRUE(triggers.has_value());
  ASSERT_EQ(triggers->size(), 2U);
  EXPECT_EQ(triggers->at(0).name, "order-history");
  EXPECT_EQ(triggers->at(0).kind, ListenTrigger::Kind::kStream);
  EXPECT_EQ(triggers->at(0).key, "shop:events");
  EXPECT_EQ(triggers->at(0).path, "/events");
  EXPECT_EQ(triggers->at(1).kind, ListenTrigger::Kind::kDue);
}

TEST(ListenDeliveryTest, SaysWhichTriggerIsNone) {
  for (const char* bad : {"TRIGGER_A=due", "TRIGGER_A=due shop:due", "TRIGGER_A=stream x x",
                          "TRIGGER_A=due shop:due due", "TRIGGER_A=due shop:due /due more"}) {
    EXPECT_THAT(fault_of(bad), HasSubstr("read TRIGGER_A: TRIGGER_<NAME> is \"stream KEY PATH\""))
        << bad;
  }
  EXPECT_THAT(fault_of("TRIGGER_=due shop:due /due"), HasSubstr("read TRIGGER_: "));
  EXPECT_EQ(fault_of("TRIGGER_A=due shop:due /due"), "");
}

TEST(ListenDeliveryTest, WarnsOfVariablesThatAreSomebodyElses) {
  const char* const variables[] = {
      "TRIGGER_PAYLOAD=/builds/trigger.json", "TRIGGER_=", "A=b", "TRIGGER_STREAM=streams x /x",
      "TRIGGER_DUE=due shop:due /due",        nullptr};
  ASSERT_TRUE(triggers_of(variables).has_value());
  EXPECT_EQ(triggers_of(variables)->size(), 1U);
  EXPECT_THAT(unread_triggers(variables),
              testing::ElementsAre(HasSubstr("TRIGGER_PAYLOAD is read as no trigger"),
                                   HasSubstr("TRIGGER_ is"), HasSubstr("TRIGGER_STREAM is")));
}

TEST(ListenDeliveryTest, ATimeBeyondAllIsTheLatestOne) {
  const ListenTrigger trigger{"history", ListenTrigger::Kind::kStream, "shop:events", "/e"};
  for (const char* id : {"9223372036000-0", "9300000000000-0", "18446744073709551615-7"}) {
    const Request request = request_of(trigger, {id, {}}, "/e", 1);
    EXPECT_EQ(header(request, "ce-time"), "2262-04-11T23:47:16.000Z") << id;
  }
}

TEST(ListenDeliveryTest, AnEntryIsACloudEvent) {
  const ListenTrigger trigger{"history", ListenTrigger::Kind::kStream, "shop:events", "/e"};
  const Request request = request_of(trigger,
                                     {"1795471445123-7",
                                      {{"type", "shop.v1.Sold"},
                                       {"data", std::string("\0\x01", 2)},
                                       {"subject", "a b"},
                                       {"tenant", "\"x%"},
                                       {"Not-A-Name", "no"},
                                       {"id", "no"},
                                       {"long", std::string(2000, 'x')}}},
                                     "/events", 3);
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.path(), "/events");
  EXPECT_EQ(header(request, "ce-specversion"), "1.0");
  EXPECT_EQ(header(request, "ce-id"), "1795471445123-7");
  EXPECT_EQ(header(request, "ce-source"), "/streams/shop:events");
  EXPECT_EQ(header(request, "ce-type"), "shop.v1.Sold");
  EXPECT_EQ(header(request, "ce-time"), "2026-11-23T22:04:05.123Z");
  EXPECT_EQ(header(request, "ce-subject"), "a%20b");
  EXPECT_EQ(header(request, "ce-tenant"), "%22x%25");
  EXPECT_EQ(header(request, "ce-long"), "-");
  EXPECT_EQ(header(request, "subito-delivery"), "3");
  EXPECT_EQ(header(request, "content-type"), "application/protobuf");
  EXPECT_EQ(request.body(), std::string("\0\x01", 2));
}

TEST(ListenDeliveryTest, WhatIsDueIsACloudEvent) {
  const ListenTrigger trigger{"due", ListenTrigger::Kind::kDue, "shop:due", "/due"};
  const Request request = request_of(trigger, {"order@7@1795471445123", {}}, "/due", 1);
  EXPECT_EQ(header(request, "ce-id"), "order@7@1795471445123");
  EXPECT_EQ(header(request, "ce-source"), "/due/shop:due");
  EXPECT_EQ(header(request, "ce-type"), "subito.due");
  EXPECT_EQ(header(request, "ce-subject"), "order@7");
  EXPECT_EQ(header(request, "ce-time"), "2026-11-23T22:04:05.123Z");
  EXPECT_EQ(header(request, "content-type"), "-");
  EXPECT_EQ(request.body(), "");
}

}  // namespace
}  // namespace subito::sdk
