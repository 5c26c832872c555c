// JSON to a Tree by way of nlohmann's events, which show keys that are there twice.
#include <nlohmann/json.hpp>

#include "deploy/manifest/tree.h"

namespace subito::manifest {

namespace {

class JsonEvents final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonEvents(TreeBuilder& builder) : builder_(builder) {}

  bool null() override { return builder_.null(0), true; }
  bool boolean(bool value) override { return plain(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return plain(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return plain(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return plain(text); }
  bool string(string_t& value) override { return builder_.scalar(value, false, 0), true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return builder_.begin_map(0), true; }
  bool key(string_t& value) override { return builder_.scalar(value, false, 0), true; }
  bool end_object() override { return builder_.end(), true; }
  bool start_array(std::size_t) override { return builder_.begin_list(0), true; }
  bool end_array() override { return builder_.end(), true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    builder_.fault(0, "is not JSON: unexpected character at byte " + std::to_string(position));
    return false;
  }

 private:
  bool plain(std::string_view text) { return builder_.scalar(text, true, 0), true; }
  TreeBuilder& builder_;
};

}  // namespace

Node read_json(std::string_view text, std::vector<Fault>& faults) {
  TreeBuilder builder("", faults);
  if (text.size() > kInputBytesMax) {
    builder.fault(0, "is larger than " + std::to_string(kInputBytesMax) + " bytes");
    return Node{};
  }
  JsonEvents events(builder);
  nlohmann::json::sax_parse(text.begin(), text.end(), &events);
  return builder.take();
}

}  // namespace subito::manifest
