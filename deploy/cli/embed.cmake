# cmake -DROOT=... "-DTEMPLATES=..." "-DFILES=..." -DOUTPUT=... -P embed.cmake: writes the source of
# templates() with these files of these folders of ROOT in it.
set(code "#include \"deploy/cli/templates.h\"\n\nnamespace subito::cli {\nnamespace {\n\n")
set(table "constexpr Template kTemplates[] = {\n")
foreach(template ${TEMPLATES})
  string(APPEND code "constexpr TemplateFile k_${template}[] = {\n")
  foreach(file ${FILES})
    file(READ ${ROOT}/${template}/${file} text)
    string(APPEND code "    {\"${file}\", R\"FILE(${text})FILE\"},\n")
  endforeach()
  string(APPEND code "};\n\n")
  string(APPEND table "    {\"${template}\", k_${template}},\n")
endforeach()
string(APPEND code "${table}};\n\n}  // namespace\n\n"
  "std::span<const Template> templates() {\n  return kTemplates;\n}\n\n"
  "}  // namespace subito::cli\n")
file(WRITE ${OUTPUT} "${code}")
