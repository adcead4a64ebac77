// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/frontend.hpp"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

#include "frontend/diagnostics.hpp"
#include "frontend/normalise.hpp"
#include "frontend/translate.hpp"

namespace espalier::frontend {

void Source::checkUndefined(const std::string& top) const {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = load(context, bitcode_);
  llvm::Function& step = findFunction(*module, top);
  const std::vector<Parameter> parameters = readParameters(step);
  normalise(*module, step, parameters, {.mark_undefined = true});
  frontend::checkUndefined(step, parameters);
}

hwir::Module Source::translateStep(const std::string& top, const IrSink& keep_ir) const {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = load(context, bitcode_);
  llvm::Function& step = findFunction(*module, top);
  const std::string name = identifier(sourceName(step));
  const std::vector<Parameter> parameters = readParameters(step);
  const auto show = [&] {
    if (!keep_ir) return;
    std::string text;
    llvm::raw_string_ostream(text) << step;
    keep_ir(name, text);
  };
  try {
    normalise(*module, step, parameters, {});
  } catch (const hwir::Error&) {
    show();
    throw;
  }
  show();
  checkUndefined(top);
  return translate(step, parameters, name);
}

Dataflow Source::readDataflow(const std::string& top) const {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = load(context, bitcode_);
  return frontend::readDataflow(findFunction(*module, top));
}

}  // namespace espalier::frontend
