#include "compiler/build.h"

#include "base/version.h"
#include "compiler/refit_record.h"
#include "onnx/weights.h"

namespace burnish {

Result<EngineContents> build(onnx::Model model, const CompileOptions& options) {
  EngineContents contents;
  if (options.refittable != Refittable::none) {
    model = onnx::with_constants_as_initializers(std::move(model));
    contents.refit = TRY(refit_record(model, options));
    contents.weights = stored_weights(*contents.refit, model);
  }
  Compiled compiled = TRY(compile(model, options));
  contents.identity.burnish_version = version;
  contents.identity.model = model.graph.name;
  contents.identity.options = {{"precision", compiled.identity.at("precision")}};
  compiled.identity.erase("precision");
  contents.identity.providers = std::move(compiled.identity);
  for (CompiledTarget& target : compiled.targets)
    contents.targets.push_back(
        {std::move(target.plan), std::move(target.constants), std::move(target.binaries)});
  contents.debug = std::move(compiled.text);
  return contents;
}

}  // namespace burnish
