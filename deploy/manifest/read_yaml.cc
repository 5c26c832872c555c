// YAML to a Tree by way of yaml-cpp's events, which know the line of everything.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>

#include "deploy/manifest/tree.h"

namespace subito::manifest {

namespace {

int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

// The one that `mark` points into.
std::string_view line_at(std::string_view text, const YAML::Mark& mark) {
  for (int line = 0; line < mark.line; ++line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// What to look at, where yaml-cpp does not say that. A line that stands further right than its
// neighbours, or begins with a tab, it calls an illegal map value.
const char* hint_of(const std::string& reason, std::string_view line) {
  const std::string_view blanks = line.substr(0, line.find_first_not_of(" \t"));
  if (blanks.find('\t') != blanks.npos)
    return "; the line begins with a tab: YAML takes blanks alone";
  if (reason == YAML::ErrorMsg::MAP_VALUE)
    return "; check the indentation; a value with ': ' in it needs quotes";
  const bool block = reason == YAML::ErrorMsg::END_OF_MAP || reason == YAML::ErrorMsg::END_OF_SEQ;
  return block ? "; check the indentation" : "";
}

class YamlEvents final : public YAML::EventHandler {
 public:
  explicit YamlEvents(TreeBuilder& builder) : builder_(builder) {}

  // yaml-cpp reports a stray ',' or ']' between documents as an empty document, again and again,
  // without reading on.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == last_start_) throw YAML::ParserException(mark, "unexpected character");
    last_start_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { builder_.null(line_of(mark)); }
  // Copies of copies grow without bound in a few lines, and no manifest needs them.
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    builder_.fault(line_of(mark), "has an alias (*name): write the value out");
    builder_.null(line_of(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    builder_.scalar(value, tag == "?", line_of(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    builder_.begin_list(line_of(mark));
  }
  void OnSequenceEnd() override { builder_.end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    builder_.begin_map(line_of(mark));
  }
  void OnMapEnd() override { builder_.end(); }

 private:
  TreeBuilder& builder_;
  int last_start_ = -1;
};

// Reads the text where it lies.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

std::vector<Node> read_yaml(const std::string& file, std::string_view text,
                            std::vector<Fault>& faults) {
  TreeBuilder builder(file, faults);
  std::vector<Node> documents;
  if (text.size() > kInputBytesMax) {
    builder.fault(0, "is larger than " + std::to_string(kInputBytesMax) + " bytes");
    return documents;
  }
  // yaml-cpp guesses UTF-16 from a NUL, and ends a text at byte 4 silently.
  if (const auto at = text.find_first_of(std::string_view("\0\4", 2)); at != text.npos) {
    const auto before = text.substr(0, at);
    builder.fault(1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
                  "has a control character");
    return documents;
  }
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    YamlEvents events(builder);
    for (std::size_t count = 0; parser.HandleNextDocument(events); ++count) {
      if (count == kDocumentsMax) {
        builder.fault(0, "has more than " + std::to_string(kDocumentsMax) + " documents");
        return {};
      }
      Node document = builder.take();
      if (document.kind != Node::Kind::kNull) documents.push_back(std::move(document));
    }
  } catch (const YAML::Exception& error) {
    const char* hint = hint_of(error.msg, line_at(text, error.mark));
    builder.fault(line_of(error.mark), "is not YAML: " + error.msg + hint);
  } catch (const std::exception& error) {
    builder.fault(0, std::string("is not YAML: ") + error.what());
  }
  return documents;
}

}  // namespace subito::manifest
