// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "frontend/compile.hpp"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IRReader/IRReader.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/Program.h>
#include <llvm/Support/SourceMgr.h>

#include "frontend/diagnostics.hpp"

namespace espalier::frontend {

namespace {

/// A file in the temporary directory that goes when the object goes.
class TemporaryFile {
 public:
  TemporaryFile() {
    if (llvm::sys::fs::createTemporaryFile("hls2rtl", "bc", path_)) {
      throw hwir::Error(
          "hls2rtl: error: no temporary file can be made; set TMPDIR to a writable place");
    }
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return std::string(path_); }

 private:
  llvm::SmallString<128> path_;
};

/// -O2 keeps lifetime markers and stamps no function "do not optimise"; the passes are ours.
const std::vector<std::string> kFlags = {"-std=c++14",
                                         "-O2",
                                         "-Xclang",
                                         "-disable-llvm-passes",
                                         "-DHLS_RTL",
                                         "-DNDEBUG",
                                         "-g",
                                         "-fstandalone-debug",
                                         "-fno-exceptions",
                                         "-fno-rtti",
                                         "-fno-strict-aliasing",
                                         "-fno-threadsafe-statics",
                                         "-fno-discard-value-names",
                                         "-fno-math-errno",
                                         "-Wall",
                                         "-Wno-unknown-pragmas",
                                         "-Wuninitialized",
                                         "-Wno-unused-function",
                                         "-emit-llvm",
                                         "-c",
                                         "-x",
                                         "c++"};

void runClang(const CompileOptions& options, const std::string& source, const std::string& output) {
  std::string clang = options.clang.empty() ? ESPALIER_CLANG : options.clang;
  if (clang.find('/') == std::string::npos) {
    if (auto found = llvm::sys::findProgramByName(clang)) clang = *found;
  }
  std::vector<std::string> words{clang};
  words.insert(words.end(), kFlags.begin(), kFlags.end());
  words.insert(words.end(), options.clang_flags.begin(), options.clang_flags.end());
  words.insert(words.end(), {source, "-o", output});
  const std::vector<llvm::StringRef> args(words.begin(), words.end());
  std::string why;
  const int status = llvm::sys::ExecuteAndWait(clang, args, std::nullopt, {}, 0, 0, &why);
  if (status < 0) {
    throw hwir::Error("hls2rtl: error: " + clang + " can't be run (" + why +
                      "); install clang 19 or give --clang");
  }
  if (status > 0) throw hwir::Error(source + ": error: clang rejects it; see its messages above");
}

}  // namespace

std::string compile(const CompileOptions& options) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> all;
  for (const std::string& source : options.sources) {
    const TemporaryFile bitcode;
    runClang(options, source, bitcode.path());
    llvm::SMDiagnostic diagnostic;
    std::unique_ptr<llvm::Module> one = llvm::parseIRFile(bitcode.path(), diagnostic, context);
    if (!one) {
      throw hwir::Error(source + ": error: " + diagnostic.getMessage().str() + "; use clang 19");
    }
    if (!all) {
      all = std::move(one);
    } else if (llvm::Linker::linkModules(*all, std::move(one))) {
      throw hwir::Error(source + ": error: defines what another source defines; define it once");
    }
  }
  std::string bitcode;
  llvm::raw_string_ostream out(bitcode);
  llvm::WriteBitcodeToFile(*all, out);
  return bitcode;
}

std::unique_ptr<llvm::Module> load(llvm::LLVMContext& context, const std::string& bitcode) {
  const llvm::MemoryBufferRef buffer(bitcode, "sources");
  return llvm::cantFail(llvm::getLazyBitcodeModule(buffer, context, true));
}

namespace {

/// Whether the user may call `f` so: its linker's name spells every name in full.
bool mayBeCalled(const llvm::Function& f, llvm::StringRef name) {
  name = name.substr(0, name.find('<'));
  if (const size_t scope = name.rfind("::"); scope != llvm::StringRef::npos) {
    name = name.substr(scope + 2);
  }
  return f.getName().contains(name);
}

bool isCalled(const llvm::Function& f, const std::string& name) {
  std::string qualified = llvm::demangle(f.getName().str());
  qualified.resize(std::min(qualified.find('('), qualified.size()));
  const size_t space = qualified.rfind(' ', qualified.find('<'));  // a template's return type
  if (space != std::string::npos) qualified.erase(0, space + 1);
  return f.getName() == name || sourceName(f) == name || qualified == name;
}

/// Reads the bodies of `top` and of what it mentions.  The other functions become declarations.
void readBodies(llvm::Function& top) {
  llvm::Module& module = *top.getParent();
  llvm::SmallPtrSet<llvm::Function*, 32> seen{&top};
  std::vector<llvm::Function*> todo{&top};
  while (!todo.empty()) {
    llvm::Function* f = todo.back();
    todo.pop_back();
    llvm::cantFail(f->materialize());
    for (const llvm::Instruction& i : llvm::instructions(*f)) {
      for (const llvm::Use& use : i.operands()) {
        auto* mentioned = llvm::dyn_cast<llvm::Function>(use.get());
        if (mentioned && seen.insert(mentioned).second) todo.push_back(mentioned);
      }
    }
  }
  for (llvm::Function& f : module) {
    if (!f.isMaterializable()) continue;
    f.setIsMaterializable(false);
    f.setLinkage(llvm::GlobalValue::ExternalLinkage);
    f.setComdat(nullptr);
  }
  llvm::cantFail(module.materializeAll());
}

}  // namespace

llvm::Function& findFunction(llvm::Module& module, const std::string& name) {
  llvm::Function* found = nullptr;
  for (llvm::Function& f : module) {
    if (f.isDeclaration() || !mayBeCalled(f, name)) continue;
    llvm::cantFail(f.materialize());
    if (!isCalled(f, name)) continue;
    if (found) {
      throw hwir::Error(functionLoc(f).str() + ": error: there is more than one function " + name +
                        "; name it with its namespace or its linker's name");
    }
    found = &f;
  }
  if (!found) {
    throw hwir::Error("hls2rtl: error: no source defines a function " + name +
                      "; check --top, and that it isn't static or an unused template");
  }
  readBodies(*found);
  return *found;
}

}  // namespace espalier::frontend
