import { describe, expect, it } from 'vitest';
import { mainPath, parseMachine, resourceKind } from '../../../local/interpreter/state-language.ts';

const task = (next?: string) => ({ Type: 'Task', ...(next === undefined ? { End: true } : { Next: next }) });

describe('the definition of a state machine', () => {
  it('has a main path: that of a run that has work to do and succeeds', () => {
    const machine = parseMachine({
      StartAt: 'PlanRun',
      States: {
        PlanRun: task('AnythingToDo'),
        AnythingToDo: {
          Type: 'Choice',
          Choices: [
            { Variable: '$.x', StringEquals: 'nothing', Next: 'NothingToDo' },
            { Variable: '$.x', StringEquals: 'run', Next: 'UseCluster' },
          ],
          Default: 'Refused',
        },
        NothingToDo: { Type: 'Succeed' },
        Refused: { Type: 'Fail' },
        UseCluster: {
          Type: 'Parallel',
          Next: 'RenderReport',
          Branches: [
            { StartAt: 'IngestEvents', States: { IngestEvents: task('TrainModels'), TrainModels: task() } },
          ],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'CloseRun' }],
        },
        RenderReport: task(),
        CloseRun: task('Refused'),
      },
    });
    expect(mainPath(machine)).toEqual(['PlanRun', 'IngestEvents', 'TrainModels', 'RenderReport']);
  });

  it('has a main path even if its states form a loop', () => {
    const machine = parseMachine({ StartAt: 'A', States: { A: task('B'), B: task('A') } });
    expect(mainPath(machine)).toEqual(['A', 'B']);
  });

  it('names resources by service and action', () => {
    expect(resourceKind('arn:aws:states:::elasticmapreduce:addStep.sync')).toBe(
      'elasticmapreduce:addStep.sync',
    );
    expect(resourceKind('arn:aws-cn:states:cn-north-1::lambda:invoke')).toBe('lambda:invoke');
  });
});
