// Where fronts get the settings of this process.
export { REPOSITORY, readSettings, type Settings, shellVariables } from "#adapters/settings.ts";
