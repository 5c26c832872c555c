// ZRANGE and its kin: what part of a sorted set is asked for, by rank or by score. Stateless.
#pragma once

#include "runtime/sdk/testing/commands.h"

namespace subito::testing {

Reply zrange(Keyspace& keys, Arguments arguments);
Reply zrangebyscore(Keyspace& keys, Arguments arguments);

}  // namespace subito::testing
