// A JSON value held against a JSON Schema, as far as the shop's OpenAPI documents go. Test code
// only.
//
// Known are $ref (within the document), type, enum, const, oneOf, pattern, minLength, maxLength,
// minimum, maximum, items, minItems, maxItems, required, properties and additionalProperties, and
// what only describes (description, format, example...). Any other keyword is a fault, so that no
// schema says what nobody checks.
#pragma once

#include <string>

#include "functions/shop/json.h"

namespace shop {

// Where and why `value` is not what `schema` says, "" if it is: "/lines/0/quantity: 0 is under 1".
// `document` is what $ref counts from.
std::string schema_fault(const Json& value, const Json& schema, const Json& document);

}  // namespace shop
