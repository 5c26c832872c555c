// The templates of `subito new`: the files of deploy/templates, held in the program. Constants.
#pragma once

#include <span>
#include <string_view>

namespace subito::cli {

// Stands for the function's name in paths and texts.
inline constexpr std::string_view kTemplateName = "my-function";

struct TemplateFile {
  std::string_view path;  // in the function's folder
  std::string_view text;
};

struct Template {
  std::string_view name;
  std::span<const TemplateFile> files;
};

std::span<const Template> templates();

}  // namespace subito::cli
