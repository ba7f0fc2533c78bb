-- which of the values there are
SELECT DISTINCT 'collection' AS field, collection_id AS value FROM `bigquery-public-data.idc_v25.dicom_all`
WHERE LOWER(collection_id) IN ('nlst');

-- the answer
WITH index AS (
  SELECT MIN(files.collection_id) AS collection_id,
    MIN(files.PatientID) AS PatientID,
    files.SeriesInstanceUID,
    MIN(files.StudyInstanceUID) AS StudyInstanceUID,
    MIN(curated.BodyPartExamined) AS BodyPartExamined,
    MIN(files.Modality) AS Modality,
    COUNT(*) AS instanceCount,
    CAST(SUM(CAST(files.instance_size AS INT64)) AS FLOAT64) / 1000000 AS series_size_MB,
    SUM(CAST(files.instance_size AS INT64)) AS carrel_bytes
  FROM `bigquery-public-data.idc_v25.dicom_all` AS files
  LEFT JOIN (
    SELECT SOPInstanceUID, MIN(BodyPartExamined) AS BodyPartExamined
    FROM `bigquery-public-data.idc_v25.dicom_metadata_curated` GROUP BY SOPInstanceUID
  ) AS curated ON files.SOPInstanceUID = curated.SOPInstanceUID
  GROUP BY files.SeriesInstanceUID
),
selected AS (
  SELECT * FROM index WHERE collection_id IN ('nlst')
)
SELECT `Modality` AS `Modality`, `BodyPartExamined` AS `BodyPartExamined`,
  COUNT(DISTINCT ARRAY_TO_STRING([collection_id, PatientID], CHR(31))) AS amount_patients,
  COUNT(DISTINCT StudyInstanceUID) AS amount_studies, COUNT(*) AS amount_series,
  IFNULL(SUM(instanceCount), 0) AS amount_instances, IFNULL(SUM(carrel_bytes), 0) AS amount_bytes, SUM(`instanceCount`) AS sum_0, SUM(CAST(ROUND(`series_size_MB` * 1000000) AS INT64)) / 1000000 AS sum_1
FROM selected
GROUP BY 1, 2
ORDER BY `sum_0` DESC NULLS LAST, amount_series DESC, `Modality` ASC NULLS LAST, `BodyPartExamined` ASC NULLS LAST
LIMIT 10;
