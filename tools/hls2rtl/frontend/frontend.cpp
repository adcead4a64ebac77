// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/frontend.hpp"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_os_ostream.h>

#include "frontend/diagnostics.hpp"
#include "frontend/normalise.hpp"
#include "frontend/translate.hpp"

namespace espalier::frontend {

hwir::Module translateStep(const CompileOptions& options, const std::string& top,
                           const std::string& module_name, std::ostream* ir) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = compile(context, options);
  llvm::Function& step = findFunction(*module, top);
  const std::string name = module_name.empty() ? identifier(sourceName(step)) : module_name;
  const std::vector<Parameter> parameters = readParameters(step);
  const auto show = [&] {
    if (!ir) return;
    llvm::raw_os_ostream out(*ir);
    step.print(out);
  };
  try {
    normalise(*module, step, parameters, {});
  } catch (const hwir::Error&) {
    show();  // what it got to shows what stood in the way
    throw;
  }
  show();
  return translate(step, parameters, name);
}

Dataflow readDataflow(const CompileOptions& options, const std::string& top) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = compile(context, options);
  return readDataflow(findFunction(*module, top));
}

}  // namespace espalier::frontend
