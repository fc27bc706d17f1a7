import Imaging
import NN
import TestSupport
import Testing

import Training

@Suite struct PresetTests {
  private func recipe(_ preset: Preset) throws -> Configuration {
    try ConfigurationProposal(preset: preset, data: nil, output: "x.yaml").configuration
  }

  @Test func `the recipes are the article's`() throws {
    for preset in Preset.allCases {
      let recipe = try recipe(preset)
      #expect(recipe.training.epochs == 200)
      #expect(recipe.optimizer.kind == .adam && recipe.optimizer.learningRate == 3e-4)
      #expect(recipe.augmentation.preset == .default)
      #expect(recipe.training.accumulate == 1)
      #expect(recipe.data.fold == .all)
      #expect(recipe.data.path.hasSuffix("/" + preset.folder))
    }
    let brats = try recipe(.brats2020)
    #expect(brats.data.layout == .brats2020 && brats.data.patchSize == [160, 192, 128])
    #expect(brats.loss.kind == .diceBCE && brats.data.spacing == [1, 1, 1])
    #expect(brats.data.normalization == .all(.zscore))
    let organs = try recipe(.ctOrg)
    #expect(organs.data.layout == .ctOrg && organs.data.patchSize == [128, 128, 256])
    #expect(organs.loss.kind == .weightedDice && organs.data.spacing == [3, 3, 3])
    #expect(organs.data.normalization == .all(.ct))
  }

  @Test func `the recipes' networks are those that the article counts`() throws {
    let brats = try recipe(.brats2020).modelConfiguration(inputs: 4, outputs: 3)
    #expect(brats.parameterCount == 101_065_356)
    _ = try recipe(.ctOrg).modelConfiguration(inputs: 1, outputs: 7)
  }

  @Test func `a preset's file is read back as the recipe`() throws {
    for preset in Preset.allCases {
      let recipe = try recipe(preset)
      #expect(try Configuration.parse(recipe.commented(), folder: "/") == recipe)
    }
  }

  @Test func `init proposes what fits each layout`() throws {
    let files = try LayoutFixtures()
    func propose(_ path: String) throws -> Configuration {
      try ConfigurationProposal(data: path, output: "x.yaml").configuration
    }
    let brats = try propose(try files.writeBraTS([1, 2]))
    #expect(brats.data.layout == .brats2020 && brats.loss.kind == .diceBCE)
    #expect(brats.name == "brats2020" && brats.data.labels == nil)
    let regions = try propose(try files.writeNNUNet([1, 2], labels: LayoutFixtures.regions))
    #expect(regions.data.layout == .nnunet && regions.loss.kind == .diceBCE)
    #expect(try propose(try files.writeMSD([1, 2])).loss.kind == .diceCE)
    let list = try propose(try files.writeDatalist([0, 1, 2, 3, 4, 5], folds: 3))
    #expect(list.data.folds == 3 && list.data.fold == .index(0))
    #expect(list.data.labels?.map(\.value) == [0, 1, 2, 4])
    let organs = try propose(try files.writeCTORG([0, 30, 31]))
    #expect(organs.data.normalization == .all(.ct) && organs.data.folds == 2)
  }
}
