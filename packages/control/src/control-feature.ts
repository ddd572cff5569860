import { defineFeature, type FeatureDefinition } from '@sluice/core'
import { Control, CONTROL } from './control.js'
import { ControlHub } from './control-hub.js'
import { checkControl, controlSchema } from './control-settings.js'

export interface ControlOptions {
  /** Shared by all instances that are made with the module. @default each has one of its own */
  readonly hub?: ControlHub
}

/** The section `control`. A program that replaces its config gives it a hub, which outlives them. */
export function createControlFeature({ hub }: ControlOptions = {}): FeatureDefinition {
  return defineFeature({
    section: 'control',
    provides: CONTROL,
    optional: true,
    schema: controlSchema,
    check: checkControl,
    create: (settings, resolve) => new Control(settings, hub ?? new ControlHub(), resolve),
  })
}

/** The section `control`, for each instance by itself. */
export const controlFeature: FeatureDefinition = createControlFeature()
